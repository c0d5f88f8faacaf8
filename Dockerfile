# Built in two stages: compilers and caches stay behind. `docker build -t aegisnotify .`
FROM python:3.12-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
# The dependencies alone, so that a change of the code does not install them anew.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        > /tmp/requirements.txt \
    && /venv/bin/pip install -r /tmp/requirements.txt
COPY . .
# As an embedded installation: no other service and no key is needed for this.
RUN AEGIS_DATA_DIR=/tmp/data /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q aegisnotify projects notifications digests


FROM python:3.12-slim

ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 AEGIS_LOG_FORMAT=json
RUN groupadd --gid 10001 aegis && useradd --uid 10001 --gid aegis --no-create-home --shell /usr/sbin/nologin aegis
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8000
# Web and worker finish what they have begun when they are told to stop.
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--bind", "0.0.0.0:8000"]

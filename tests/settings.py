"""The project's settings with the environment that tests run in.

`AEGIS_TEST_DATABASE_URL` and `AEGIS_TEST_REDIS_URL` run the same suite against PostgreSQL and Redis.
"""

import os
import tempfile
from urllib.parse import urlsplit, urlunsplit


def _own_redis(url: str) -> str:
    """The Redis database for this process: with pytest-xdist each worker takes the next number, as each has its own
    database on PostgreSQL."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not url or not worker:
        return url
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + int(worker.removeprefix("gw"))
    return urlunsplit(parts._replace(path=f"/{number}"))


_here = tempfile.mkdtemp(prefix="aegisnotify-tests-")
os.environ.update(
    {
        "AEGIS_DATA_DIR": _here,
        "AEGIS_BASE_URL": "http://testserver",
        "ALLOWED_HOSTS": "*",
        "DATABASE_URL": os.environ.get("AEGIS_TEST_DATABASE_URL", ""),
        "REDIS_URL": _own_redis(os.environ.get("AEGIS_TEST_REDIS_URL", "")),
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "AEGIS_ENCRYPTION_KEYS": "c2l4dGVlbi1ieXRlcy1zaXh0ZWVuLWJ5dGVzLTEyMzQ=",
        "AEGIS_MAIL_THREADS": "0",
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    }
)

from aegisnotify.settings import *  # noqa: E402, F403

# Hashing passwords slowly is what protects them; in tests it is what makes them slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if EMBEDDED:  # noqa: F405
    # A file, as in real life: SQLite's shared in-memory databases have other locks, without a busy timeout.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_here, "test.sqlite3")}  # noqa: F405

# Every client makes the middleware anew, and WhiteNoise would look through all files of all applications each time.
WHITENOISE_AUTOREFRESH = True

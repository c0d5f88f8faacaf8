"""Log lines: their two forms, what they are about, and that no secret passes."""

import json
import logging
import sys
import threading

import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from django.views.debug import get_exception_reporter_class

from aegisnotify import logs
from aegisnotify.logs import JsonFormatter, TextFormatter, about

SECRET_URL = "https://hooks.slack.com/services/T000/B000/slacksecret"
# Reversed: a report quotes the source around each frame, and this file is one of them.
PASTED, TYPED, BEARER, REDIS = (
    text[::-1] for text in ("terces detsap a", "depyt-dr0wss4p", "txet-nek0t", "ss4p-s1der")
)
PATH = SECRET_URL.rpartition("/")[2]


def record(message, *args, exc_info=None, **extra):
    return logging.getLogger("aegisnotify.test").makeRecord(
        "aegisnotify.test", logging.WARNING, "file.py", 7, message, args, exc_info, extra=extra
    )


def failing():
    try:
        raise ConnectionError(f"Max retries exceeded with url: /services/T000/B000/slacksecret ({SECRET_URL})")
    except ConnectionError:
        return sys.exc_info()


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_secrets_stand_in_no_part_of_a_line(formatter):
    line = formatter.format(record("to %s", SECRET_URL, exc_info=failing(), delivery_id="aegis_" + "x" * 30))
    assert "slacksecret" not in line
    assert "xxxxxxxx" not in line
    assert "ConnectionError" in line
    assert "test_logs.py" in line


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_the_installations_own_secrets_are_known(formatter):
    line = formatter.format(record("%s and %s", django_settings.SECRET_KEY, django_settings.AEGIS_ENCRYPTION_KEYS[0]))
    assert django_settings.SECRET_KEY not in line
    assert django_settings.AEGIS_ENCRYPTION_KEYS[0] not in line


def test_a_json_line_is_one_object_with_the_ids_of_what_it_is_about():
    with about(occurrence_id="o-1", delivery_id="d-1"), about(delivery_id="d-2", channel_id=""):
        line = JsonFormatter().format(record("two\nlines", channel_id="c-1"))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == "two\nlines"
    assert (entry["level"], entry["logger"]) == ("WARNING", "aegisnotify.test")
    assert (entry["occurrence_id"], entry["delivery_id"], entry["channel_id"]) == ("o-1", "d-2", "c-1")
    assert entry["time"].endswith("+00:00")


def test_a_line_of_text_names_what_it_is_about_at_its_end():
    with about(delivery_id="d-1"):
        line = TextFormatter().format(record("hello"))
    assert line.endswith("WARNING aegisnotify.test hello [delivery_id=d-1]")
    assert TextFormatter().format(record("hello")).endswith(" hello")


def test_what_nobody_caught_is_logged(caplog):
    kind, error, trace = failing()
    logs._uncaught(kind, error, trace)
    logs._uncaught_in_thread(threading.ExceptHookArgs((kind, error, trace, threading.current_thread())))
    assert [entry.exc_info[1] for entry in caplog.records] == [error, error]
    assert sys.excepthook is logs._uncaught


def test_every_handler_of_the_logging_settings_leaves_secrets_out():
    config = django_settings.LOGGING
    assert [handler["formatter"] for handler in config["handlers"].values()] == ["line"]
    assert all(not logger.get("handlers") for logger in config["loggers"].values())


@pytest.mark.parametrize("debug", [True, False])
def test_error_reports_hold_no_secret(settings, debug):
    settings.DEBUG = debug
    settings.REDIS_URL = f"redis://:{REDIS}@cache:6379/0"
    form = {"url": SECRET_URL, "secret": PASTED, "name": "kept"}
    request = RequestFactory().post("/x", form, HTTP_AUTHORIZATION=f"Bearer {BEARER}")

    def fails():
        config = {"url": SECRET_URL, "secret": PASTED}
        password = TYPED
        raise ValueError(f"no good: {config['url']} {password and ''}")

    try:
        fails()
    except ValueError:
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
    for text in (reporter.get_traceback_html(), reporter.get_traceback_text()):
        assert "ValueError" in text
        assert [each for each in (PASTED, TYPED, BEARER, REDIS, f"B000/{PATH}") if each in text] == []
    frames = reporter.get_traceback_data()["frames"]
    variables = {name: value for frame in frames for name, value in frame["vars"]}
    assert PATH not in str(variables)
    assert "kept" in variables["form"]

"""How log lines look, and what never stands in one.

Every line goes through one of the two formatters, which redact what they made as a whole: message, arguments, traceback
and the texts of exceptions that libraries raised. What a line is about (`about(delivery_id=…)`) is added to all that is
logged within, by libraries too.
"""

import contextlib
import contextvars
import functools
import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from aegisnotify.redaction import redact, worth_masking

_about: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("about", default=MappingProxyType({}))
_hidden: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("hidden", default=())
# What a line can be about, given by `about` or as `extra`.
SUBJECTS = ("occurrence_id", "delivery_id", "channel_id", "workspace_id")


@contextlib.contextmanager
def about(*, hiding: tuple[str, ...] = (), **subjects: str) -> Iterator[None]:
    """Lines that are logged within name these subjects (empty ones are left out) and never show what is `hiding`: a
    pasted secret can look like anything, so whoever works with one has to name it."""
    token = _about.set({**_about.get(), **{name: value for name, value in subjects.items() if value}})
    before = _hidden.set((*hiding, *_hidden.get()))
    try:
        yield
    finally:
        _hidden.reset(before)
        _about.reset(token)


class TextFormatter(logging.Formatter):
    """A line for people: `2026-04-28 10:42:11,000 INFO name message [delivery_id=…]`."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        subjects = _subjects(record)
        named = "".join(f" {name}={value}" for name, value in subjects.items())
        return super().formatMessage(record) + (f" [{named[1:]}]" if named else "")

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (UTC, ISO 8601), `level`, `logger`, `message`, `process`, `thread`, the subjects,
    and `exception` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": safe(record.getMessage()),
            "process": record.process,
            "thread": record.threadName,
            **{name: safe(value) for name, value in _subjects(record).items()},
        }
        if record.exc_info:
            entry["exception"] = safe(self.formatException(record.exc_info))
        if record.stack_info:
            entry["stack"] = safe(self.formatStack(record.stack_info))
        return json.dumps(entry, ensure_ascii=False)


def safe(text: str) -> str:
    """The text without secrets: by their looks, and by what they are those of this installation and the hidden ones."""
    return redact(text, (*_hidden.get(), *_own_secrets()))


def install_hooks() -> None:
    """Exceptions that nobody caught are logged, so that they are redacted too; Python would print them as they are."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("aegisnotify").critical("Uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or issubclass(args.exc_type, SystemExit):
        return
    trace = (args.exc_type, args.exc_value, args.exc_traceback)
    name = args.thread.name if args.thread else "?"
    logging.getLogger("aegisnotify").error("Uncaught exception in thread %s", name, exc_info=trace)


def _subjects(record: logging.LogRecord) -> dict[str, str]:
    given = {name: str(value) for name in SUBJECTS if (value := getattr(record, name, None))}
    return {**_about.get(), **given}


@functools.cache
def _own_secrets() -> tuple[str, ...]:
    if not settings.configured:
        return ()
    return worth_masking(
        [
            settings.SECRET_KEY,
            *settings.SECRET_KEY_FALLBACKS,
            *settings.AEGIS_ENCRYPTION_KEYS,
            settings.AEGIS_METRICS_TOKEN,
            settings.EMAIL_HOST_PASSWORD,
            urlsplit(settings.DATABASE_URL).password,
            urlsplit(settings.REDIS_URL).password,
            *(text for value in _anymail() for text in (value, value.partition(":")[2])),
        ]
    )


def _anymail() -> Iterator[str]:
    """The mail provider's keys, and the user:password pairs with which it reports."""
    return _texts_in({name: value for name, value in settings.ANYMAIL.items() if name != "SEND_DEFAULTS"})


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _texts_in(inner)

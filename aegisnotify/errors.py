"""What services refuse with. Pages and API present the same sentence, with the same status."""

from collections.abc import Mapping
from typing import Any

STATUS_OF = {
    "invalid": 400,
    "unauthenticated": 401,
    "plan_limit": 402,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "stale": 412,
    "too_large": 413,
    "rate_limited": 429,
    "internal": 500,
}


class ServiceError(Exception):
    """A refusal with a sentence for people and a code for machines."""

    code = "invalid"

    def __init__(self, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = dict(details or {})


class Invalid(ServiceError):
    """Bad input: `fields` maps the path of each bad field to its sentences."""

    def __init__(self, fields: Mapping[str, list[str]], message: str = "") -> None:
        self.fields = {name: list(sentences) for name, sentences in fields.items()}
        super().__init__(message or _summary(self.fields), {"fields": self.fields})


class Forbidden(ServiceError):
    """The one who asks is known, and may not do this."""

    code = "forbidden"


class NotFound(ServiceError):
    """It is not there, or belongs to somebody else: the two are never told apart."""

    code = "not_found"


class Conflict(ServiceError):
    code = "conflict"


class Stale(ServiceError):
    """The caller's copy is older than what it would overwrite."""

    code = "stale"


class TooLarge(ServiceError):
    code = "too_large"


class TooMany(ServiceError):
    """Too often: `retry_after` says in how many seconds it is worth trying again, where that is known."""

    code = "rate_limited"

    def __init__(
        self, message: str, details: Mapping[str, object] | None = None, *, retry_after: int | None = None
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, details)


def _summary(fields: Mapping[str, list[str]]) -> str:
    return " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in fields.items())


def body_of(code: str, message: str, details: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The error as it stands in an answer; also inside the results of a batch."""
    return {"error": {"code": code, "message": message, "details": dict(details or {})}}


def status_of(error: ServiceError) -> int:
    return STATUS_OF[error.code]

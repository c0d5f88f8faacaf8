"""What services refuse with. Pages and API present the same sentence."""

from collections.abc import Mapping

from projects.entitlements import Exceeded


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


class Conflict(ServiceError):
    code = "conflict"


class Stale(ServiceError):
    code = "stale"


class NotFound(ServiceError):
    code = "not_found"


class TooMany(ServiceError):
    code = "rate_limited"


class PlanLimit(ServiceError):
    code = "plan_limit"

    def __init__(self, exceeded: Exceeded) -> None:
        self.exceeded = exceeded
        super().__init__(exceeded.sentence, exceeded.details)


def _summary(fields: Mapping[str, list[str]]) -> str:
    return " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in fields.items())

"""What services refuse with: the errors every room shares, and the one that knows about plans."""

from aegisnotify.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, Stale, TooLarge, TooMany
from projects.entitlements import Exceeded

__all__ = [
    "Conflict",
    "Forbidden",
    "Invalid",
    "NotFound",
    "PlanLimit",
    "ServiceError",
    "Stale",
    "TooLarge",
    "TooMany",
]


class PlanLimit(ServiceError):
    """The workspace's plan has no room for this."""

    code = "plan_limit"

    def __init__(self, exceeded: Exceeded) -> None:
        self.exceeded = exceeded
        super().__init__(exceeded.sentence, exceeded.details)

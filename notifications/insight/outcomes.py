"""How a delivery stands, in a few words."""

from datetime import datetime

from notifications.insight.sentences import because
from notifications.models.deliveries import DeliveryStatus
from notifications.routing import Reason

# A cancelled delivery stores why as a code: one of routing's reasons, or that its channel is gone.
_CHANNEL_DELETED = "channel_deleted"


def why(code_or_sentence: str, event: str) -> str:
    """The stored reason as a sentence. What is not a code is a sentence already."""
    if code_or_sentence == _CHANNEL_DELETED:
        return "The channel was deleted."
    if code_or_sentence not in {reason.value for reason in Reason}:
        return code_or_sentence
    clause = because(Reason(code_or_sentence), event)
    return f"{clause[0].upper()}{clause[1:]}."


def result(
    status: str, *, event: str, reason: str, attempts: int, code: int | None, reading: str, next_at: datetime | None
) -> str:
    """What the log says beside the status: the answer, and which try it was.

    `code` and `reading` are the last try's status and our sentence on it; `reason` is why it was cancelled or given up.
    """
    if status == DeliveryStatus.CANCELLED:
        return why(reason, event)
    if status == DeliveryStatus.HELD:
        return "Goes out with the daily digest."
    if status == DeliveryStatus.DELIVERED:
        words = f"HTTP {code}" if code else reading or "Accepted"
        return f"{words}, {ordinal(attempts)} try" if attempts > 1 else words
    if status == DeliveryStatus.FAILED:
        return reading or why(reason, event)
    if status == DeliveryStatus.SENDING:
        return f"{ordinal(attempts)} try is under way." if attempts > 1 else "Under way."
    if reading:
        return f"{reading} {attempts} tries so far." if attempts > 1 else reading
    return "Waits for its turn." if next_at is not None else ""


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`, `22nd`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"

"""Tables of digests, nudges and warnings: one module per concern."""

from digests.models.activity import DailyTotal, NudgeClock, PersonActivity
from digests.models.mailings import Mailing, MailingItem, MailingKind, MailingState, SkipReason
from digests.models.preferences import NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from digests.models.schedules import ChannelClock
from digests.models.usage import UsageThreshold

__all__ = [
    "ChannelClock",
    "DailyTotal",
    "Mailing",
    "MailingItem",
    "MailingKind",
    "MailingState",
    "NudgeClock",
    "NudgeOptOut",
    "PersonActivity",
    "SkipReason",
    "UsageOptOut",
    "UsageThreshold",
    "WeeklySubscription",
    "WorkspaceOptOut",
]

"""Tables of notifications: one module per concern."""

from notifications.models.addresses import AddressBounce, AddressConfirmation, OptOut
from notifications.models.channels import Channel, ChannelRecipient, TargetPace
from notifications.models.deliveries import Attempt, Delivery, DeliveryStatus
from notifications.models.drafts import FilterDraft
from notifications.models.filters import EventFlag, Override
from notifications.models.hours import ChannelHour, DeliveryHour
from notifications.models.jobs import RecoveryJob
from notifications.models.occurrences import Occurrence
from notifications.models.operations import Tally, WorkerSeen

__all__ = [
    "AddressBounce",
    "AddressConfirmation",
    "Attempt",
    "Channel",
    "ChannelHour",
    "ChannelRecipient",
    "Delivery",
    "DeliveryHour",
    "DeliveryStatus",
    "EventFlag",
    "FilterDraft",
    "Occurrence",
    "OptOut",
    "Override",
    "RecoveryJob",
    "Tally",
    "TargetPace",
    "WorkerSeen",
]

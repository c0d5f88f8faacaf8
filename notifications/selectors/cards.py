"""A project's channels as its page shows them. A fixed number of queries, however many there are."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notifications import catalog
from notifications.channels import registry
from notifications.channels.base import ChannelKind
from notifications.models import Channel, RecoveryJob
from notifications.routing import Recipient, RecipientState
from notifications.selectors import recovery
from notifications.selectors.channels import over_plan_limit, places
from notifications.selectors.health import ChannelHealth, health_of
from notifications.selectors.routing import channels_of, flags_of, recipients_of
from projects.entitlements import Category, Exceeded, Limits, Place, room_for
from projects.models import Project
from projects.selectors import limits_of


@dataclass(frozen=True, slots=True)
class Card:
    channel: Channel
    kind: ChannelKind
    target: str
    health: ChannelHealth
    recipients: tuple[Recipient, ...]
    events: tuple[type[catalog.Event], ...]
    """The events that reach it, by flag or override."""
    overrides_ignored: bool
    """It has overrides that the plan does not apply."""
    twins: tuple[str, ...]
    """Names of the project's other channels that post to the same URL."""
    warnings: tuple[str, ...]
    offer: recovery.Offer | None
    job: RecoveryJob | None
    first: bool
    last: bool

    @property
    def has_secret(self) -> bool:
        return "secret" in self.kind.settings

    @property
    def is_email(self) -> bool:
        return self.kind.category is Category.EMAIL

    @property
    def unreachable(self) -> int:
        """Recipients that are not written to."""
        return sum(recipient.state is not RecipientState.CONFIRMED for recipient in self.recipients)

    @property
    def paused(self) -> bool:
        return self.health is ChannelHealth.PAUSED

    @property
    def over_plan_limit(self) -> bool:
        return self.health is ChannelHealth.OVER_PLAN_LIMIT


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of a limit is used, such as 2 of 3 webhooks. `allowed` None is unlimited."""

    noun: str
    used: int
    allowed: int | None


@dataclass(frozen=True, slots=True)
class Board:
    """The channels of a project, and the room its plan leaves for more."""

    cards: tuple[Card, ...]
    limits: Limits
    used: tuple[Place, ...]

    @property
    def quotas(self) -> tuple[Quota, ...]:
        return quotas(self.limits, self.used)


def board(project: Project, moment: datetime) -> Board:
    """`project` with its workspace and plan loaded."""
    channels = channels_of(project)
    limits = limits_of(project.workspace.plan)
    over = over_plan_limit(limits, channels)
    recipients = recipients_of(project, channels)
    flags = flags_of(project)
    offers, jobs = recovery.offers(project, channels, moment), recovery.jobs(channels, moment)
    twins = _twins(channels)
    cards = []
    for index, channel in enumerate(channels):
        kind = registry.get(channel.kind)
        overrides = {each.event: each.enabled for each in channel.overrides.all()}
        applied = overrides if limits.per_channel_filters else {}
        cards.append(
            Card(
                channel=channel,
                kind=kind,
                target=kind.target(channel.config),
                health=health_of(channel, over=channel.pk in over, moment=moment),
                recipients=recipients.get(channel.pk, ()),
                events=tuple(event for event in catalog.events() if applied.get(event.name, flags[event.name])),
                overrides_ignored=bool(overrides) and not limits.per_channel_filters,
                twins=tuple(other.name for other in twins[channel.target_fingerprint] if other.pk != channel.pk),
                warnings=kind.warnings(channel.config),
                offer=offers.get(channel.pk),
                job=jobs.get(channel.pk),
                first=index == 0,
                last=index == len(channels) - 1,
            )
        )
    return Board(tuple(cards), limits, tuple(places(channels)))


def quotas(limits: Limits, used: Sequence[Place]) -> tuple[Quota, ...]:
    """What the plan allows of channels that it counts, and how many places are taken."""
    counts = Counter(place.category for place in used)
    return (
        Quota("webhook", counts[Category.WEBHOOK], limits.webhooks),
        Quota("chat channel", counts[Category.CHAT], limits.chat_channels),
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of channel to add, with the room there is for it."""

    kind: ChannelKind
    exceeded: Exceeded | None
    note: str


def choices(limits: Limits, used: Sequence[Place]) -> tuple[Choice, ...]:
    """Every kind, in the registry's order."""
    return tuple(
        Choice(kind, room_for(limits, used, kind.name, kind.category), _note(kind, limits, used))
        for kind in registry.kinds()
    )


def _note(kind: ChannelKind, limits: Limits, used: Sequence[Place]) -> str:
    if kind.category is Category.EMAIL:
        return "on every plan"
    count = sum(place.kind == kind.name for place in used)
    allowed = limits.webhooks if kind.category is Category.WEBHOOK else limits.chat_channels_per_kind
    return f"{count} in use" if allowed is None else f"{count} of {allowed} used"


def _twins(channels: Sequence[Channel]) -> defaultdict[str, list[Channel]]:
    by_target: defaultdict[str, list[Channel]] = defaultdict(list)
    for channel in channels:
        if channel.target_fingerprint:
            by_target[channel.target_fingerprint].append(channel)
    return by_target

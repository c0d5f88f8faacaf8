"""A project's channels as its page shows them. A fixed number of queries, however many there are."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.db.models import Count, Prefetch

from notifications import catalog
from notifications.channels import registry
from notifications.channels.base import ChannelKind
from notifications.models import Channel, ChannelRecipient, Delivery, DeliveryStatus, RecoveryJob
from notifications.routing import Recipient, RecipientState
from notifications.selectors import recovery
from notifications.selectors.channels import over_plan_limit, places
from notifications.selectors.health import ChannelHealth, health_of
from notifications.selectors.routing import flags_of, recipients_of
from projects.entitlements import Category, Exceeded, Limits, Place, room_for
from projects.models import Project
from projects.selectors import limits_of

PER_PAGE = 20


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
    held: int
    """Deliveries that wait for its daily digest."""
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
    def digest_time(self) -> time | None:
        """When its daily digest goes out, by the workspace's clock; None where it sends at once."""
        return self.channel.digest_time if self.channel.mode == Channel.Mode.DAILY_DIGEST else None

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
    """The channels of a project, a page of them as cards, and the room its plan leaves for more."""

    cards: tuple[Card, ...]
    limits: Limits
    used: tuple[Place, ...]
    channels: int
    over: int
    """How many are over the plan limit."""
    page: int
    pages: int

    @property
    def quotas(self) -> tuple[Quota, ...]:
        return quotas(self.limits, self.used)


def board(project: Project, moment: datetime, *, page: int = 1, around: object = None) -> Board:
    """`project` with its workspace and plan loaded. `around`: the page on which the channel with this id stands."""
    # Of all of them only what places and twins need; of those shown everything, decrypted.
    channels = list(project.channels.only("project", "kind", "name", "enabled", "position", "target_fingerprint"))
    index = next((index for index, channel in enumerate(channels) if channel.pk == around), None)
    pages = max(-(-len(channels) // PER_PAGE), 1)
    page = index // PER_PAGE + 1 if index is not None else min(max(page, 1), pages)
    start = (page - 1) * PER_PAGE
    wanted = [channel.pk for channel in channels[start : start + PER_PAGE]]
    shown = list(
        project.channels.filter(pk__in=wanted)
        .select_related("paused_by")
        .prefetch_related(
            "overrides", Prefetch("recipients", queryset=ChannelRecipient.objects.order_by("position", "pk"))
        )
    )
    limits = limits_of(project.workspace.plan)
    over = over_plan_limit(limits, channels)
    return Board(
        cards=_cards(project, channels, shown, over, moment),
        limits=limits,
        used=tuple(places(channels)),
        channels=len(channels),
        over=len(over),
        page=page,
        pages=pages,
    )


def _cards(
    project: Project,
    channels: Sequence[Channel],
    shown: Sequence[Channel],
    over: frozenset[object],
    moment: datetime,
) -> tuple[Card, ...]:
    limits = limits_of(project.workspace.plan)
    recipients = recipients_of(project, shown)
    flags = flags_of(project)
    offers, jobs = recovery.offers(project, shown, moment), recovery.jobs(shown, moment)
    twins, held = _twins(channels), _held(project, shown)
    cards = []
    for channel in shown:
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
                held=held[channel.pk],
                offer=offers.get(channel.pk),
                job=jobs.get(channel.pk),
                first=channel.pk == channels[0].pk,
                last=channel.pk == channels[-1].pk,
            )
        )
    return tuple(cards)


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


def _held(project: Project, channels: Sequence[Channel]) -> Counter[object]:
    """How many deliveries each of the channels holds: those in the mode, and those whose last digest is on its way."""
    emails = [channel.pk for channel in channels if registry.get(channel.kind).category is Category.EMAIL]
    if not emails:
        return Counter()
    rows = Delivery.objects.filter(workspace=project.workspace_id, status=DeliveryStatus.HELD, channel__in=emails)
    return Counter(dict(rows.order_by().values_list("channel").annotate(held=Count("pk"))))


def _twins(channels: Sequence[Channel]) -> defaultdict[str, list[Channel]]:
    by_target: defaultdict[str, list[Channel]] = defaultdict(list)
    for channel in channels:
        if channel.target_fingerprint:
            by_target[channel.target_fingerprint].append(channel)
    return by_target

"""Claiming and making daily digests, and settling the deliveries that they carry."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import Count, F, Q

from aegisnotify.clock import now
from aegisnotify.text import clean_text
from digests import mailings, mails, schedule
from digests.daily import clocks
from digests.daily import report as reports
from digests.mails import Line, Link, Section
from digests.models import ChannelClock, Mailing, MailingItem, MailingKind, MailingState, SkipReason
from digests.models.mailings import UNFINISHED
from digests.pipeline import Claim, Kind, Made
from notifications.addresses.links import unsubscribe_url
from notifications.addresses.selectors import recipient_states
from notifications.catalog import OccurrenceKind, RunFailed, fired_lists_with
from notifications.channels.urls import safe_link
from notifications.delivery.preparing import event_url
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus, Occurrence
from notifications.routing import RecipientState
from notifications.selectors.channels import is_paused
from projects.models import Membership, Project, User

STEP = 1000
# An event that was taken in just before the mode ended may commit after the last digest was made.
LINGER = timedelta(minutes=10)
_FAILED = [",".join(fired) for fired in fired_lists_with(RunFailed.name)]
_SKIPS = {
    RecipientState.UNCONFIRMED: SkipReason.UNCONFIRMED,
    RecipientState.BOUNCED: SkipReason.BOUNCED,
    RecipientState.UNSUBSCRIBED: SkipReason.UNSUBSCRIBED,
}


class Daily(Kind):
    name = MailingKind.DAILY

    @transaction.atomic
    def claim(self, token: uuid.UUID, moment: datetime, limit: int) -> Claim:
        locking = connection.features.has_select_for_update_skip_locked
        due = ChannelClock.objects.select_for_update(skip_locked=locking, of=("self",)).filter(next_at__lte=moment)
        # A channel has up to twenty recipients.
        rows = list(due.select_related("channel__project__workspace").order_by("next_at")[: max(limit // 20, 1)])
        return Claim([mailing for clock in rows for mailing in _collect(clock, token, moment)], len(rows))

    def make(self, rows: Sequence[Mailing], moment: datetime) -> Iterator[tuple[Mailing, Made]]:
        channels = Channel.objects.defer("config").in_bulk({row.channel_id for row in rows if row.channel_id})
        projects = Project.objects.select_related("workspace").in_bulk(
            {channel.project_id for channel in channels.values()}
        )
        users = {user.email: user for user in User.objects.filter(email__in={row.recipient for row in rows})}
        members = set(
            Membership.objects.filter(
                user__in=users.values(), workspace__in={row.workspace_id for row in rows}
            ).values_list("user_id", "workspace_id")
        )
        states = _states(rows, channels)
        for row in rows:
            channel = channels.get(row.channel_id) if row.channel_id else None
            refusal = _stopped(channel, moment)
            if channel is None or refusal is not None:
                yield row, refusal or SkipReason.CHANNEL_DELETED
                continue
            state = states[row.channel_id, row.recipient]
            if state is not RecipientState.CONFIRMED:
                yield row, _SKIPS[state]
                continue
            user = users.get(row.recipient)
            reader = user if user and (user.pk, row.workspace_id) in members else None
            yield row, _mail(row, channel, projects[channel.project_id], reader)

    def finished(self, mailing: Mailing) -> None:
        """The deliveries that it carried share its fate."""
        moment = now()
        if mailing.state == MailingState.SENT:
            status, outcome, reason = DeliveryStatus.DELIVERED, Attempt.Outcome.ACCEPTED, ""
            sentence = "Handed over to the mail server, in the daily digest."
        elif mailing.state == MailingState.SKIPPED:
            status, outcome, reason, sentence = DeliveryStatus.CANCELLED, None, mailing.reason, ""
        else:
            interrupted = mailing.reason == "interrupted"
            status = DeliveryStatus.FAILED
            outcome = Attempt.Outcome.INTERRUPTED if interrupted else Attempt.Outcome.FAILED
            reason = sentence = f"The daily digest failed. {mailing.get_reason_display()}."
        carried = Delivery.objects.filter(digest_item__mailing=mailing, status=DeliveryStatus.HELD).order_by("pk")
        while ids := list(carried.values_list("pk", "attempt_count")[:STEP]):
            changes: dict[str, Any] = {"status": status, "status_reason": reason}
            if outcome is not None:
                changes["attempt_count"] = F("attempt_count") + 1
                Attempt.objects.bulk_create(
                    Attempt(delivery_id=pk, number=count + 1, at=moment, outcome=outcome, error=sentence)
                    for pk, count in ids
                )
            if status == DeliveryStatus.DELIVERED:
                changes["delivered_at"] = moment
            Delivery.objects.filter(pk__in=[pk for pk, _ in ids], status=DeliveryStatus.HELD).update(**changes)


def _collect(clock: ChannelClock, token: uuid.UUID, moment: datetime) -> list[Mailing]:
    """Move a due clock, and put what its channel holds into mailings."""
    channel, due_at = clock.channel, clock.next_at
    workspace = channel.project.workspace
    collects = channel.mode == Channel.Mode.DAILY_DIGEST
    if collects and (clock.at != channel.digest_time or clock.time_zone != workspace.time_zone):
        # Its time was changed meanwhile: this moment is none of its slots.
        clocks.wind(channel, moment)
        return []
    start = clock.covered_until
    if collects:
        clock.last_slot = schedule.slot_at(due_at, workspace.zone)
        clock.next_at = schedule.next_daily(moment, clock.at, workspace.zone, clock.last_slot).moment
    else:
        clock.next_at = moment + timedelta(minutes=1)
    held = _held(channel)
    counts = list(held.order_by("recipient").values_list("recipient").annotate(Count("pk")))
    if not counts and not collects and channel.changed_at < moment - LINGER:
        clock.delete()
        return []
    clock.covered_until = moment
    clock.save(update_fields=["last_slot", "next_at", "covered_until"])
    rows = []
    for recipient, _count in counts:
        row = mailings.claimed(
            MailingKind.DAILY,
            f"daily:{channel.pk}:{'' if collects else 'last:'}{due_at.isoformat()}:{recipient}",
            recipient,
            token=token,
            due_at=due_at,
            moment=moment,
            workspace=workspace,
            channel=channel,
            user=User.objects.filter(email=recipient).first(),
            window_start=start,
            window_end=moment,
            facts={"last": not collects},
        )
        if mailings.store([row]):
            _carry(row, held.filter(recipient=recipient))
            rows.append(row)
    return rows


def _held(channel: Channel) -> Any:
    """What a channel holds and no mailing on its way carries."""
    taken = Q(digest_item__mailing__state__in=UNFINISHED)
    return Delivery.objects.filter(channel=channel, status=DeliveryStatus.HELD).exclude(taken)


def _carry(row: Mailing, held: Any) -> None:
    ids = list(held.values_list("pk", flat=True))
    for begin in range(0, len(ids), STEP):
        part = ids[begin : begin + STEP]
        # Recovered after an earlier digest that failed.
        MailingItem.objects.filter(pk__in=part).delete()
        MailingItem.objects.bulk_create(MailingItem(delivery_id=pk, mailing=row) for pk in part)


def _stopped(channel: Channel | None, moment: datetime) -> SkipReason | None:
    if channel is None:
        return SkipReason.CHANNEL_DELETED
    if not channel.enabled:
        return SkipReason.CHANNEL_OFF
    if is_paused(channel, moment):
        return SkipReason.PAUSED
    return SkipReason.SUSPENDED if channel.suspended_at is not None else None


def _states(rows: Sequence[Mailing], channels: Mapping[Any, Channel]) -> dict[tuple[Any, str], RecipientState]:
    """The states of the rows' addresses, by channel and address, with one query for each project."""
    addresses: defaultdict[tuple[int, Any], set[str]] = defaultdict(set)
    for row in rows:
        if row.channel_id in channels and row.workspace_id:
            addresses[row.workspace_id, channels[row.channel_id].project_id].add(row.recipient)
    found = {
        project_id: recipient_states(workspace_id, project_id, emails)
        for (workspace_id, project_id), emails in addresses.items()
    }
    return {
        (row.channel_id, row.recipient): found[channels[row.channel_id].project_id][row.recipient]
        for row in rows
        if row.channel_id in channels
    }


def _mail(row: Mailing, channel: Channel, project: Project, reader: User | None) -> EmailMessage | SkipReason:
    occurrences = Occurrence.objects.filter(deliveries__digest_item__mailing=row).distinct()
    tally = _tally(occurrences)
    if not tally.all:
        return SkipReason.NOTHING_HAPPENED
    zone = reader.zone if reader else project.workspace.zone
    name = clean_text(project.name) or "Project"
    items = [_item(occurrence, reader) for occurrence in _shown(occurrences)]
    said = reports.say(name, tally, items, zone, row.due_at.astimezone(zone).date())
    workspace = project.workspace
    log = mails.page("deliveries", workspace, project=project.slug) if reader else ""
    failed = next((item.url for item in items if item.failed and item.url), "")
    action = Link("Open what failed", failed) if failed else Link("Open the project", _project_page(project, reader))
    return mails.mail(
        row,
        subject=said.subject,
        kicker=said.kicker,
        heading=said.heading,
        lead=said.lead,
        preheader=said.lead,
        tone=said.tone,
        sections=[
            Section(
                group.title,
                tuple(Line(line.name, line.value, line.detail, line.tone, line.link) for line in group.rows),
                f"And {group.hidden:,} more." if group.hidden else "",
            )
            for group in said.groups
        ],
        action=action,
        other=Link("All deliveries", log) if log else None,
        reason=_reason(row, channel, workspace.time_zone, name),
        list_name=name,
        unsubscribe=Link(f"Stop these emails for {name}", unsubscribe_url(project.pk, row.recipient)),
        preferences_url=mails.preferences_page(workspace) if reader else "",
    )


def _tally(occurrences: Any) -> reports.Tally:
    failed_scan = Q(kind=OccurrenceKind.CRAWL, facts__status="failed")
    counts = occurrences.order_by().aggregate(
        runs=Count("pk", filter=Q(kind=OccurrenceKind.RUN), distinct=True),
        failed_runs=Count("pk", filter=Q(fired__in=_FAILED), distinct=True),
        scans=Count("pk", filter=Q(kind=OccurrenceKind.CRAWL), distinct=True),
        failed_scans=Count("pk", filter=failed_scan, distinct=True),
        generations=Count("pk", filter=Q(kind=OccurrenceKind.GENERATION), distinct=True),
    )
    return reports.Tally(**counts)


def _shown(occurrences: Any) -> list[Occurrence]:
    """What the digest shows by name: a few of each group, however many there are."""
    failed = Q(fired__in=_FAILED) | Q(kind=OccurrenceKind.CRAWL, facts__status="failed")
    groups = [
        occurrences.filter(failed),
        occurrences.filter(kind=OccurrenceKind.RUN).exclude(failed),
        occurrences.filter(kind=OccurrenceKind.CRAWL).exclude(failed),
        occurrences.filter(kind=OccurrenceKind.GENERATION),
    ]
    return [row for group in groups for row in group.order_by("-occurred_at")[: reports.SHOWN]]


def _item(occurrence: Occurrence, reader: User | None) -> reports.Item:
    # Others than members can't open our pages: they get the caller's own.
    url = event_url(occurrence.pk) if reader else safe_link(str(occurrence.facts.get("url") or ""), 500)
    return reports.Item(OccurrenceKind(occurrence.kind), occurrence.facts, occurrence.occurred_at, url)


def _project_page(project: Project, reader: User | None) -> str:
    if reader:
        return mails.page("project_activity", project.workspace, project.slug)
    return safe_link(project.base_url, 500) or mails.page("login")


def _reason(row: Mailing, channel: Channel, zone: str, project: str) -> str:
    if row.facts.get("last") or channel.digest_time is None:
        return f"This is the last daily digest of {project}: its emails come at once from now on."
    return f"You get this daily at {channel.digest_time:%H:%M} ({zone}) for {project}, when something happened."

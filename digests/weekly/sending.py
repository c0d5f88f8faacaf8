"""Claiming and making weekly digests."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db import connection, transaction

from aegisnotify.clock import now
from digests import links, mailings, mails, schedule
from digests.mails import Line, Link, Section
from digests.models import Mailing, MailingKind, SkipReason, WeeklySubscription
from digests.models.mailings import UNFINISHED
from digests.pipeline import Claim, Kind, Made, Run
from digests.recipients import Willing, willing
from digests.weekly import report as reports
from digests.weekly.reading import report as read_report
from projects.errors import Conflict
from projects.models import Membership, User, Workspace

WEEK = timedelta(days=7)
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


class Weekly(Kind):
    name = MailingKind.WEEKLY

    @transaction.atomic
    def claim(self, token: uuid.UUID, moment: datetime, limit: int) -> Claim:
        locking = connection.features.has_select_for_update_skip_locked
        due = WeeklySubscription.objects.select_for_update(skip_locked=locking, of=("self",))
        # By workspace, so that what is read of one serves all its readers.
        rows = list(
            due.filter(next_at__lte=moment)
            .select_related("user", "workspace")
            .order_by("next_at", "workspace", "pk")[:limit]
        )
        known = willing((row.user for row in rows), (row.workspace_id for row in rows))
        made = [_advance(row, known, token, moment) for row in rows]
        WeeklySubscription.objects.bulk_update(rows, ["enabled", "next_at", "covered_until", "last_slot"])
        return Claim(mailings.store(made), len(rows))

    def make(self, rows: Sequence[Mailing], moment: datetime) -> Iterator[tuple[Mailing, Made]]:
        users = User.objects.in_bulk({row.user_id for row in rows})
        workspaces = Workspace.objects.select_related("plan").in_bulk({row.workspace_id for row in rows})
        subscriptions = {
            (row.user_id, row.workspace_id): row
            for row in WeeklySubscription.objects.filter(user__in=users, workspace__in=workspaces)
        }
        known = willing(users.values(), workspaces)
        window: tuple[object, ...] = ()
        report: reports.Report | None = None
        for row in sorted(rows, key=lambda row: (row.workspace_id or 0, row.window_start, row.window_end)):
            user, workspace = users[row.user_id], workspaces[row.workspace_id]
            subscription = subscriptions.get((user.pk, workspace.pk))
            asked = row.facts.get("asked", False)
            refusal = known.refusal(user, workspace.pk, row.recipient)
            if refusal is None and not asked and (subscription is None or not subscription.enabled):
                refusal = SkipReason.UNSUBSCRIBED
            if refusal is not None:
                yield row, refusal
                continue
            wanted = (workspace.pk, row.window_start, row.window_end)
            if report is None or wanted != window:
                assert row.window_start is not None
                assert row.window_end is not None
                report, window = read_report(workspace, row.window_start, row.window_end), wanted
            if report.nothing and not asked:
                yield row, SkipReason.NOTHING_HAPPENED
            else:
                role = known.members[user.pk, workspace.pk]
                yield row, _mail(row, user, workspace, role, subscription, report)


def send_now(user: User, workspace: Workspace) -> Mailing:
    """Send somebody the digest of the last seven days, at once, whatever they subscribed to; their next one is not
    changed by it. The mailing with its outcome.

    Raises `Conflict` when one was asked for within the last minute.
    """
    moment, token = now(), uuid.uuid4()
    minute = moment.replace(second=0, microsecond=0)
    key = f"weekly-asked:{user.pk}:{workspace.pk}:{minute.isoformat()}"
    row = _of_last_week(user, workspace, key, token, moment, facts={"asked": True})
    if not mailings.store([row]):
        raise Conflict("One was sent a moment ago. Wait a minute.")
    run = Run([Weekly()], token=token)
    try:
        run.send([row])
    finally:
        run.close()
    row.refresh_from_db()
    return row


def preview(membership: Membership) -> EmailMessage:
    """The digest of the last seven days as a member would get it now. Nothing is stored or sent."""
    moment, user, workspace = now(), membership.user, membership.workspace
    row = _of_last_week(user, workspace, "preview", uuid.uuid4(), moment)
    subscription = WeeklySubscription.objects.filter(user=user, workspace=workspace).first()
    report = read_report(workspace, moment - WEEK, moment)
    return _mail(row, user, workspace, membership.role, subscription, report)


def _of_last_week(
    user: User, workspace: Workspace, key: str, token: uuid.UUID, moment: datetime, **fields: Any
) -> Mailing:
    """A mailing of the seven days before `moment`, unsaved, claimed under `token`."""
    return mailings.claimed(
        MailingKind.WEEKLY,
        key,
        user.email,
        token=token,
        due_at=moment,
        moment=moment,
        user=user,
        workspace=workspace,
        window_start=moment - WEEK,
        window_end=moment,
        **fields,
    )


def waiting(row: Mailing) -> bool:
    """Whether its sending goes on in the background."""
    return row.state in UNFINISHED


def _advance(row: WeeklySubscription, known: Willing, token: uuid.UUID, moment: datetime) -> Mailing:
    """Move the clock of a due subscription; the mailing of the slot that it stood on."""
    due_at = row.next_at
    assert due_at is not None
    slot = schedule.slot_at(due_at, row.zone)
    key = f"weekly:{row.user_id}:{row.workspace_id}:{due_at.isoformat()}"
    start = row.covered_until or due_at - WEEK
    fields = {"user": row.user, "workspace": row.workspace, "window_start": start, "window_end": moment}
    row.last_slot = slot
    row.next_at = schedule.next_weekly(moment, row.weekday, row.at, row.zone, slot).moment
    refusal = known.refusal(row.user, row.workspace_id, row.user.email)
    if refusal is None and reports.too_late(due_at, moment):
        refusal = SkipReason.TOO_LATE
    else:
        row.covered_until = moment
    if refusal is SkipReason.NOT_A_MEMBER:
        # Whoever comes back chooses anew.
        row.enabled, row.next_at = False, None
    if refusal is not None:
        return mailings.skipped(
            MailingKind.WEEKLY, key, row.user.email, refusal, due_at=due_at, moment=moment, **fields
        )
    return mailings.claimed(
        MailingKind.WEEKLY, key, row.user.email, token=token, due_at=due_at, moment=moment, **fields
    )


def _mail(
    row: Mailing,
    user: User,
    workspace: Workspace,
    role: str,
    subscription: WeeklySubscription | None,
    report: reports.Report,
) -> EmailMessage:
    said = reports.say(report, subscription.zone if subscription else user.zone)
    return mails.mail(
        row,
        subject=said.subject,
        kicker=said.kicker,
        heading=said.heading,
        lead=said.lead,
        preheader=said.preheader,
        tone=said.tone,
        counts=[_line(count) for count in said.counts],
        sections=[
            Section("Top failures", _lines(said.failures)),
            Section("By project", _lines(said.projects), _more(said.more_projects)),
            Section("Usage", _lines(said.gauges)),
            Section("Quiet projects", _lines(said.quiet), _more(said.more_quiet)),
        ],
        action=Link("Open the week", mails.page("overview", workspace)),
        reason=_reason(subscription),
        list_name=f"{report.workspace} weekly",
        unsubscribe=Link("Unsubscribe from the weekly digest", links.weekly_unsubscribe_url(user.pk, workspace.pk)),
        for_all=mails.stop_for_all(user, workspace, role),
        preferences_url=mails.preferences_page(workspace),
    )


def _reason(subscription: WeeklySubscription | None) -> str:
    if subscription is None or not subscription.enabled:
        return "You get this because you asked for it just now."
    when = f"{_DAYS[subscription.weekday]} at {subscription.at:%H:%M} ({subscription.time_zone})"
    return f"You get this on {when} because you opted in."


def _lines(rows: Sequence[reports.Row]) -> tuple[Line, ...]:
    return tuple(_line(row) for row in rows)


def _line(row: reports.Row) -> Line:
    return Line(row.name, row.value, row.detail, row.tone)


def _more(count: int) -> str:
    return f"And {count:,} more." if count else ""

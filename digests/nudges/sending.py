"""Claiming and making nudges."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import connection, transaction

from aegisnotify.text import clean_text
from digests import links, mailings, mails
from digests.mails import Link
from digests.models import Mailing, MailingKind, NudgeClock, SkipReason
from digests.nudges import decisions
from digests.nudges.reading import Subject, known, subject
from digests.pipeline import Claim, Kind, Made
from digests.recipients import personal_refusal
from projects.models import User

NEW_AT_ONCE = 1000


class Nudges(Kind):
    name = MailingKind.NUDGE

    @transaction.atomic
    def claim(self, token: uuid.UUID, moment: datetime, limit: int) -> Claim:
        locking = connection.features.has_select_for_update_skip_locked
        due = NudgeClock.objects.select_for_update(skip_locked=locking, of=("self",)).filter(next_at__lte=moment)
        clocks = list(due.select_related("user").order_by("next_at")[:limit])
        users = [clock.user for clock in clocks]
        facts = known(users, moment)
        digests = mailings.digest_sent_since((user.email for user in users), moment - decisions.GAP)
        made = []
        for clock in clocks:
            active = facts.active[clock.user_id]
            if active > clock.quiet_since:
                clock.quiet_since, clock.stage = active, 0
            decision = decisions.decide(clock.quiet_since, clock.stage, moment, digests.get(clock.user.email))
            due_at, clock.next_at = clock.next_at, decision.next_at
            if decision.stage is not None:
                clock.stage = decision.stage
                refusal = facts.refusals.get(clock.user_id)
                if refusal is None and decision.too_late:
                    refusal = SkipReason.TOO_LATE
                made.append(_mailing(clock, refusal, token, due_at, moment))
        NudgeClock.objects.bulk_update(clocks, ["quiet_since", "stage", "next_at"])
        return Claim(mailings.store(made), len(clocks))

    def make(self, rows: Sequence[Mailing], moment: datetime) -> Iterator[tuple[Mailing, Made]]:
        users = User.objects.in_bulk({row.user_id for row in rows})
        facts = known(users.values(), moment)
        for row in rows:
            user = users[row.user_id]
            refusal = facts.refusals.get(user.pk) or personal_refusal(user, (), row.recipient)
            if refusal is None and facts.active[user.pk] > datetime.fromisoformat(row.facts["quiet_since"]):
                refusal = SkipReason.ACTIVE_AGAIN
            found = subject(user, facts.workspaces[user.pk]) if refusal is None else None
            if refusal is not None or found is None:
                yield row, refusal or SkipReason.NO_WORKSPACE
            else:
                yield row, _mail(row, user, facts.roles[user.pk, found.project.workspace_id], found, moment)


def start_clocks(limit: int = NEW_AT_ONCE) -> int:
    """Clocks for people who have none: they start at joining. How many were made."""
    users = User.objects.filter(nudge_clock=None, is_active=True).order_by("pk")[:limit]
    rows = [
        NudgeClock(user=user, quiet_since=user.date_joined, next_at=user.date_joined + decisions.LOOK_AGAIN)
        for user in users.only("pk", "date_joined")
    ]
    NudgeClock.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _mailing(
    clock: NudgeClock, refusal: SkipReason | None, token: uuid.UUID, due_at: datetime, moment: datetime
) -> Mailing:
    quiet = clock.quiet_since.isoformat()
    key = f"nudge:{clock.user_id}:{clock.stage}:{quiet}"
    facts = {"stage": clock.stage, "quiet_since": quiet}
    user = clock.user
    if refusal is not None:
        return mailings.skipped(
            MailingKind.NUDGE, key, user.email, refusal, due_at=due_at, moment=moment, user=user, facts=facts
        )
    return mailings.claimed(
        MailingKind.NUDGE, key, user.email, token=token, due_at=due_at, moment=moment, user=user, facts=facts
    )


def _mail(row: Mailing, user: User, role: str, found: Subject, moment: datetime) -> EmailMessage:
    project, workspace = found.project, found.project.workspace
    name = clean_text(project.name) or "Project"
    since = found.last_at or datetime.fromisoformat(row.facts["quiet_since"])
    said = decisions.say(name, max((moment - since) // timedelta(days=1), 1), found.last)
    return mails.mail(
        row,
        subject=said.subject,
        kicker=workspace.name,
        heading=said.heading,
        lead=said.lead,
        preheader="Pick up where you left off",
        tone="neutral",
        action=Link(f"Open {name}", mails.page("project_activity", workspace, project.slug)),
        reason="We send this once after 7 quiet days and once after 30, then stop.",
        list_name="AegisNotify reminders",
        unsubscribe=Link("No more reminders", links.nudges_unsubscribe_url(user.pk)),
        for_all=mails.stop_for_all(user, workspace, role),
        preferences_url=mails.preferences_page(workspace),
    )

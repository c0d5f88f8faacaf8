"""Noticing thresholds, and claiming and making the warnings of them."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F, Sum

from aegisnotify.clock import now
from aegisnotify.text import clean_text
from digests import links, mailings, mails
from digests.mails import Line, Link, Section
from digests.models import DailyTotal, Mailing, MailingKind, SkipReason, UsageOptOut, UsageThreshold
from digests.pipeline import Claim, Kind, Made
from digests.recipients import personal_refusal
from digests.usage_warnings import words
from notifications.addresses.selectors import bounced_addresses
from projects.access import Role
from projects.hooks import Crossing
from projects.models import Membership, Plan, UsageCounter, User, Workspace
from projects.selectors import cap_of
from projects.usage import Meter, cap_reached_on, period_of, reached, resets_on

_CAPS = {Meter.RUNS: "workspace__plan__runs_per_month", Meter.SCANS: "workspace__plan__scans_per_month"}
AT_ONCE = 500


def note_crossing(crossing: Crossing) -> None:
    """Counting reached a threshold: stored in the transaction of what was counted."""
    UsageThreshold.objects.bulk_create(
        [
            UsageThreshold(
                workspace_id=crossing.workspace_id,
                meter=crossing.meter,
                period=crossing.period,
                threshold=crossing.threshold,
                cap=crossing.cap,
                reached_at=now(),
            )
        ],
        ignore_conflicts=True,
    )


def note_plan_changes(moment: datetime) -> int:
    """Workspaces whose usage stands above a threshold of a cap that they did not have when they got there. How many.

    Whatever counting itself reaches is stored with it, so what is found here came with another plan.
    """
    period, found = period_of(moment), []
    for meter, cap in _CAPS.items():
        counters = UsageCounter.objects.filter(
            period=period, meter=meter, workspace__closed_at=None, **{f"{cap}__gt": 0}
        ).annotate(cap=F(cap))
        above = counters.filter(used__gt=0, used__gte=F("cap") * 4 / 5)
        # Read first: what is counted to a threshold meanwhile is then known below.
        standing = list(above.values_list("workspace_id", "used", "cap"))
        known = set(
            UsageThreshold.objects.filter(period=period, meter=meter).values_list("workspace_id", "cap", "threshold")
        )
        for workspace_id, used, value in standing:
            threshold = reached(used, value)
            if threshold is None or any((workspace_id, value, each) in known for each in (threshold, 100)):
                continue
            found.append(
                UsageThreshold(
                    workspace_id=workspace_id,
                    meter=meter,
                    period=period,
                    threshold=threshold,
                    cap=value,
                    by_plan=True,
                    reached_at=moment,
                )
            )
    UsageThreshold.objects.bulk_create(found[:AT_ONCE], ignore_conflicts=True)
    return len(found)


class UsageWarnings(Kind):
    name = MailingKind.USAGE

    @transaction.atomic
    def claim(self, token: uuid.UUID, moment: datetime, limit: int) -> Claim:
        locking = connection.features.has_select_for_update_skip_locked
        untold = UsageThreshold.objects.select_for_update(skip_locked=locking, of=("self",)).filter(told_at=None)
        rows = list(untold.select_related("workspace__plan").order_by("reached_at")[: max(limit // 10, 1)])
        managers = Membership.objects.filter(
            workspace__in={row.workspace_id for row in rows}, role__in=[Role.OWNER, Role.ADMIN]
        ).select_related("user")
        people = list(managers.order_by("pk"))
        opted_out = set(
            UsageOptOut.objects.filter(user__in=[each.user_id for each in people]).values_list(
                "user_id", "workspace_id"
            )
        )
        bounced = bounced_addresses(each.user.email for each in people)
        made = []
        for row in rows:
            for member in people:
                if member.workspace_id == row.workspace_id:
                    refusal = _refusal(row, member, opted_out, bounced, moment)
                    made.append(_mailing(row, member.user, refusal, token, moment))
        UsageThreshold.objects.filter(pk__in=[row.pk for row in rows]).update(told_at=moment)
        return Claim(mailings.store(made), len(rows))

    def make(self, rows: Sequence[Mailing], moment: datetime) -> Iterator[tuple[Mailing, Made]]:
        users = User.objects.in_bulk({row.user_id for row in rows})
        workspaces = Workspace.objects.select_related("plan").in_bulk({row.workspace_id for row in rows})
        roles = {
            (user_id, workspace_id): role
            for user_id, workspace_id, role in Membership.objects.filter(
                user__in=users, workspace__in=workspaces
            ).values_list("user_id", "workspace_id", "role")
        }
        opted_out = set(UsageOptOut.objects.filter(user__in=users).values_list("user_id", "workspace_id"))
        for row in rows:
            user, workspace = users[row.user_id], workspaces[row.workspace_id]
            role = roles.get((user.pk, workspace.pk))
            meter, cap = Meter(row.facts["meter"]), row.facts["cap"]
            refusal = personal_refusal(user, (), row.recipient)
            if refusal is not None:
                yield row, refusal
            elif role not in (Role.OWNER, Role.ADMIN):
                yield row, SkipReason.NOT_A_MEMBER
            elif cap_of(workspace.plan, meter) != cap:
                yield row, SkipReason.CAP_CHANGED
            elif not words.goes_to(role, row.facts["threshold"], opted_out=(user.pk, workspace.pk) in opted_out):
                yield row, SkipReason.UNSUBSCRIBED
            else:
                yield row, _mail(row, user, workspace, role)


def _refusal(
    row: UsageThreshold, member: Membership, opted_out: set[tuple[int, int]], bounced: set[str], moment: datetime
) -> SkipReason | None:
    user = member.user
    refusal = personal_refusal(user, bounced, user.email)
    if refusal is not None:
        return refusal
    if row.period != period_of(moment):
        return SkipReason.TOO_LATE
    if _cap(row.workspace.plan, row) != row.cap:
        return SkipReason.CAP_CHANGED
    wanted = words.goes_to(member.role, row.threshold, opted_out=(user.pk, row.workspace_id) in opted_out)
    return None if wanted else SkipReason.UNSUBSCRIBED


def _cap(plan: Plan, row: UsageThreshold) -> int | None:
    return cap_of(plan, Meter(row.meter))


def _mailing(
    row: UsageThreshold, user: User, refusal: SkipReason | None, token: uuid.UUID, moment: datetime
) -> Mailing:
    key = f"usage:{row.workspace_id}:{row.meter}:{row.period.isoformat()}:{row.threshold}:{row.cap}:{user.pk}"
    fields = {
        "user": user,
        "workspace": row.workspace,
        "facts": {
            "meter": row.meter,
            "threshold": row.threshold,
            "cap": row.cap,
            "period": row.period.isoformat(),
            "by_plan": row.by_plan,
        },
    }
    due_at = row.reached_at
    if refusal is not None:
        return mailings.skipped(MailingKind.USAGE, key, user.email, refusal, due_at=due_at, moment=moment, **fields)
    return mailings.claimed(MailingKind.USAGE, key, user.email, token=token, due_at=due_at, moment=moment, **fields)


def _mail(row: Mailing, user: User, workspace: Workspace, role: str) -> EmailMessage:
    meter, cap, threshold = Meter(row.facts["meter"]), row.facts["cap"], row.facts["threshold"]
    counter = UsageCounter.objects.filter(workspace=workspace, period=row.facts["period"], meter=meter).first()
    used = counter.used if counter else 0
    name = clean_text(workspace.name) or "Workspace"
    said = words.say(
        words.Warning(
            workspace=name,
            plan=workspace.plan.name,
            meter=meter,
            threshold=threshold,
            used=used,
            cap=cap,
            by_plan=row.facts["by_plan"],
            resets_on=resets_on(row.due_at),
            cap_on=cap_reached_on(used, cap, row.due_at) if threshold < 100 else None,
        )
    )
    always = role == Role.OWNER and threshold >= 100
    stop = Link("Stop usage warnings", links.usage_unsubscribe_url(user.pk, workspace.pk))
    return mails.mail(
        row,
        subject=said.subject,
        kicker=name,
        heading=said.heading,
        lead=said.lead,
        preheader=said.bar,
        tone=said.tone,
        bar={"percent": min(used * 100 // cap, 100), "words": said.bar},
        sections=[Section(f"Where the {meter.value} go", _where(workspace, meter, row.facts["period"]))],
        action=Link("See usage", mails.page("usage", workspace)),
        reason="Owners and admins get this once per month and mark."
        + (" As the owner you get the one at 100% in any case." if always else ""),
        list_name=f"{name} usage",
        unsubscribe=stop,
        preferences_url=mails.preferences_page(workspace),
    )


def _where(workspace: Workspace, meter: Meter, period: str) -> tuple[Line, ...]:
    counts = DailyTotal.objects.filter(project__workspace=workspace, day__gte=period).order_by()
    rows = counts.values_list("project__name").annotate(total=Sum(meter.value))
    named = [(clean_text(project) or "Project", total or 0) for project, total in rows]
    return tuple(Line(project, value) for project, value in words.where(meter, named))

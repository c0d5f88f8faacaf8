"""When people were last active, and what to remind them of: for many people with a handful of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from aegisnotify.text import clean_text
from digests.models import DailyTotal, NudgeOptOut, PersonActivity, SkipReason, WorkspaceOptOut
from digests.nudges.decisions import LastRun
from digests.recipients import personal_refusal
from notifications import catalog
from notifications.addresses.selectors import bounced_addresses
from notifications.catalog import OccurrenceKind
from notifications.models import Occurrence
from projects.models import ApiToken, Membership, Project, User

_RUN_OR_SCAN = (OccurrenceKind.RUN, OccurrenceKind.CRAWL)
# The daily totals are counted at least this often.
_NOT_COUNTED_YET = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Known:
    """What decides for some people. `active` is when each was last active, by the id of the person; `workspaces` are
    those that may remind them; `roles` are by person and workspace."""

    active: dict[int, datetime]
    workspaces: dict[int, list[int]]
    roles: dict[tuple[int, int], str]
    refusals: dict[int, SkipReason]


def known(users: Collection[User], moment: datetime) -> Known:
    members = Membership.objects.filter(user__in=users, workspace__closed_at=None).order_by("pk")
    joined: defaultdict[int, list[tuple[int, datetime]]] = defaultdict(list)
    roles = {}
    for user_id, workspace_id, at, role in members.values_list("user_id", "workspace_id", "created_at", "role"):
        joined[user_id].append((workspace_id, at))
        roles[user_id, workspace_id] = role
    workspaces = {workspace_id for places in joined.values() for workspace_id, _ in places}
    ran = _last_runs(workspaces, moment)
    silent = set(WorkspaceOptOut.objects.filter(workspace__in=workspaces).values_list("workspace_id", flat=True))
    seen = dict(PersonActivity.objects.filter(user__in=users).values_list("user_id", "seen_at"))
    tokens = dict(
        ApiToken.objects.filter(created_by__in=users, last_used_at__isnull=False)
        .order_by()
        .values_list("created_by")
        .annotate(last=Max("last_used_at"))
    )
    unwilling = set(NudgeOptOut.objects.filter(user__in=users).values_list("user_id", flat=True))
    bounced = bounced_addresses(user.email for user in users)
    active, reminding, refusals = {}, {}, {}
    for user in users:
        places = joined[user.pk]
        moments = [user.date_joined, user.last_login, seen.get(user.pk), tokens.get(user.pk)]
        moments += [at for _, at in places] + [ran.get(workspace_id) for workspace_id, _ in places]
        active[user.pk] = max(at for at in moments if at is not None)
        reminding[user.pk] = [workspace_id for workspace_id, _ in places if workspace_id not in silent]
        refusal = personal_refusal(user, bounced, user.email) or _refusal(
            bool(places), bool(reminding[user.pk]), user.pk in unwilling
        )
        if refusal is not None:
            refusals[user.pk] = refusal
    return Known(active, reminding, roles, refusals)


def _refusal(belongs: bool, may: bool, unwilling: bool) -> SkipReason | None:
    if unwilling:
        return SkipReason.UNSUBSCRIBED
    if not belongs:
        return SkipReason.NO_WORKSPACE
    return None if may else SkipReason.WORKSPACE_UNSUBSCRIBED


def _last_runs(workspaces: Iterable[int], moment: datetime) -> dict[int, datetime]:
    """When each workspace had its last run or scan: from the totals, and from what they have not counted yet."""
    counted = DailyTotal.objects.filter(Q(runs__gt=0) | Q(scans__gt=0), project__workspace__in=workspaces)
    last = dict(counted.order_by().values_list("project__workspace").annotate(last=Max("last_at")))
    fresh = Occurrence.objects.filter(
        workspace__in=workspaces, kind__in=_RUN_OR_SCAN, received_at__gte=moment - _NOT_COUNTED_YET
    )
    return last | dict(fresh.order_by().values_list("workspace").annotate(last=Max("received_at")))


@dataclass(frozen=True, slots=True)
class Subject:
    """The project that somebody is reminded of."""

    project: Project
    last: LastRun | None
    last_at: datetime | None


def subject(user: User, workspaces: Collection[int]) -> Subject | None:
    """The last project they opened, if it is in one of these workspaces; else the one that ran last; else any. Up to
    four queries."""
    projects = Project.objects.select_related("workspace").filter(workspace__in=workspaces)
    opened = PersonActivity.objects.filter(user=user, last_project__isnull=False).values("last_project")
    project = projects.filter(pk__in=opened).first() or _ran_last(workspaces) or projects.order_by("created_at").first()
    if project is None:
        return None
    last, last_at = _last_run(project.pk, user)
    return Subject(project, last, last_at)


def _ran_last(workspaces: Collection[int]) -> Project | None:
    totals = DailyTotal.objects.filter(project__workspace__in=workspaces, runs__gt=0).order_by("-last_at")
    newest = totals.select_related("project__workspace").first()
    return newest.project if newest else None


def _last_run(project_id: UUID, user: User) -> tuple[LastRun | None, datetime | None]:
    runs = Occurrence.objects.filter(project=project_id, kind=OccurrenceKind.RUN).exclude(fired="")
    run = runs.order_by("-received_at", "-pk").first()
    if run is not None:
        passed, failed, skipped = (int(run.facts.get(name) or 0) for name in ("passed", "failed", "skipped"))
        last = LastRun(
            day=run.occurred_at.astimezone(user.zone).date(),
            suite=clean_text(run.facts.get("suite_name")),
            passed=passed,
            total=passed + failed + skipped,
            failed=catalog.run_failed(run.facts),
        )
        return last, run.received_at
    at = DailyTotal.objects.filter(project=project_id, runs__gt=0).aggregate(last=Max("last_at"))["last"]
    return (LastRun(day=at.astimezone(user.zone).date()), at) if at else (None, None)

"""What-if: its numbers are what routing really would do, and it is quick."""

import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from aegisnotify.clock import now
from aegisnotify.ids import uuid7
from notifications import catalog
from notifications.insight.replay import Case, Group, replay, with_filters
from notifications.insight.whatif import recent_groups, what_if, what_if_for_project
from notifications.intake.recording import record
from notifications.models import Delivery, Occurrence, Override
from notifications.routing import ChannelState, Recipient, RecipientState, Settings
from notifications.selectors.routing import routing_settings
from notifications.services.filters import change_project_filters
from projects.actors import SYSTEM
from projects.entitlements import Category
from projects.models import Project
from tests import factories

EVENTS = catalog.names()
FAILED, PASSED = ("run_failed", "run_completed"), ("run_completed",)
flags = st.dictionaries(st.sampled_from(EVENTS), st.booleans())
changes = st.dictionaries(st.sampled_from(EVENTS), st.sampled_from([True, False, None]))
reports = st.sampled_from(
    [
        {"event": "run_completed", "run": {"status": "passed"}},
        {"event": "run_failed", "run": {"status": "failed"}},
        {"event": "scheduled_runs", "run": {"status": "passed"}},
        {"event": "run_failed", "run": {"status": "timed_out", "trigger": "schedule"}},
        {"event": "run_completed", "run": {"status": "cancelled"}},
        {"event": "crawl_completed", "crawl": {"status": "completed"}},
        {"event": "ai_generated", "generation": {}},
    ]
)
channels = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["email", "slack", "webhook"]),
        "enabled": st.sampled_from([True, True, True, False]),
        "paused": st.sampled_from([False, False, True]),
        "mode": st.sampled_from(["immediate", "daily_digest"]),
        "recipients": st.integers(0, 2),
        "overrides": st.dictionaries(st.sampled_from(EVENTS), st.booleans()),
    }
)


def channel(id="c", category=Category.CHAT, **fields):
    return ChannelState(id=id, key=id, name=id, kind="slack", category=category, **fields)


def with_channels(*members, **flags):
    return Settings(flags={**catalog.default_flags(), **flags}, filters_in_plan=True, channels=members)


class TestReplay:
    def test_deliveries_are_counted_as_they_are_made(self):
        confirmed = tuple(Recipient(f"{n}@example.com", RecipientState.CONFIRMED) for n in range(2))
        unconfirmed = Recipient("new@example.com", RecipientState.UNCONFIRMED)
        now_ = with_channels(
            channel("slack"),
            channel("hook", Category.WEBHOOK),
            channel("mail", Category.EMAIL, recipients=(*confirmed, unconfirmed)),
            run_completed=True,
        )
        result = replay([Group("p", FAILED, 10), Group("p", PASSED, 5)], {"p": Case(now_, now_)})
        assert result.occurrences == 15
        assert {each.channel.id: each.now for each in result.channels} == {"slack": 15, "hook": 25, "mail": 30}
        assert all(each.now == each.proposed for each in result.channels)

    def test_a_failure_is_missed_only_if_somebody_hears_of_it_now(self):
        hearing, deaf = with_channels(channel()), with_channels(channel(), run_failed=False)
        groups = [Group("p", FAILED, 3), Group("p", PASSED, 9)]
        assert replay(groups, {"p": Case(hearing, deaf)}).silenced == (groups[0],)
        assert replay(groups, {"p": Case(deaf, deaf)}).silenced == ()
        assert replay(groups, {"p": Case(deaf, hearing)}).silenced == ()

    def test_a_channel_that_is_stopped_now_does_not_count_as_hearing(self):
        both = with_channels(channel("a"), channel("b", paused=True))
        without = with_filters(both, overrides={"a": {"run_failed": False}})
        assert replay([Group("p", FAILED, 1)], {"p": Case(both, without)}).silenced_count == 1

    def test_what_is_collected_for_a_digest_is_heard(self):
        both = with_channels(channel("a"), channel("b", holds=True))
        without = with_filters(both, overrides={"a": {"run_failed": False}})
        assert replay([Group("p", FAILED, 1)], {"p": Case(both, without)}).silenced_count == 0

    def test_projects_do_not_mix(self):
        one, two = with_channels(channel("c1")), with_channels(channel("c2"))
        result = replay([Group("1", FAILED, 1), Group("2", FAILED, 2), Group("3", FAILED, 4)], {
            "1": Case(one, one), "2": Case(two, two),
        })  # fmt: skip
        assert result.occurrences == 3
        assert [(each.project_id, each.now) for each in result.channels] == [("1", 1), ("2", 2)]

    def test_settings_that_stay_the_same_stay_the_same_object(self):
        settings_ = with_channels(channel())
        assert with_filters(settings_, flags=dict(settings_.flags), overrides={}) is settings_


class TestAgainstRealIntake(TestCase):
    """What it says of proposed settings is what happens when they are saved and the same things happen again."""

    @settings(max_examples=25, deadline=None)
    @given(
        before=flags,
        members=st.lists(channels, min_size=1, max_size=4),
        events=st.lists(reports, min_size=1, max_size=8),
        new_flags=flags,
        new_filters=st.lists(changes, max_size=4),
    )
    def test_the_numbers_are_those_of_a_real_second_time(self, before, members, events, new_flags, new_filters):
        project = factories.ProjectFactory(slug="shop", inherits_workspace_flags=False)
        for event, enabled in before.items():
            factories.EventFlagFactory(workspace=project.workspace, project=project, event=event, enabled=enabled)
        made = [_channel(project, index, fields) for index, fields in enumerate(members)]
        filters = {channel.key: new for channel, new in zip(made, new_filters, strict=False)}
        _happen(project, "first", events)
        body = {"events": new_flags, "channel_filters": filters}
        project = Project.objects.select_related("workspace__plan").get(pk=project.pk)
        answer = what_if_for_project(project, body, now())

        first = _told(made)
        change_project_filters(SYSTEM, project, body)
        _happen(project, "second", events)
        second = _told(made)

        assert answer.replay.occurrences == len(events)
        results = {result.channel.key: result for result in answer.replay.channels}
        assert {key: result.now for key, result in results.items()} == first
        assert {key: result.proposed + first[key] for key, result in results.items()} == second
        missed = [
            occurrence.pk
            for occurrence in Occurrence.objects.filter(source_id__startswith="first", fired__startswith="run_failed")
            if _heard(occurrence)
            and not _heard(Occurrence.objects.get(source_id=occurrence.source_id.replace("first", "second")))
        ]
        assert answer.replay.silenced_count == len(missed)
        assert set(answer.unheard) == set(missed)


def _channel(project, index, fields):
    made = factories.ChannelFactory(
        project=project,
        kind=fields["kind"],
        key=f"c{index}",
        position=index,
        enabled=fields["enabled"],
        paused_until=now() + timedelta(hours=1) if fields["paused"] else None,
        mode=fields["mode"] if fields["kind"] == "email" else "immediate",
        digest_time="08:00" if fields["kind"] == "email" else None,
    )
    if fields["kind"] == "email":
        for _ in range(fields["recipients"]):
            address = factories.RecipientFactory(channel=made).email
            factories.MembershipFactory(workspace=project.workspace, user__email=address)
    for event, enabled in fields["overrides"].items():
        factories.OverrideFactory(channel=made, event=event, enabled=enabled)
    return made


def _happen(project, prefix, events):
    for number, report in enumerate(events):
        kind = next(name for name in ("run", "crawl", "generation") if name in report)
        record(project.workspace, {**report, "project": "shop", kind: {**report[kind], "id": f"{prefix}-{number}"}})


def _told(made):
    return {each.key: Delivery.objects.filter(channel=each).count() for each in made}


def _heard(occurrence):
    return any(decision["outcome"] != "not_sent" for decision in occurrence.decisions)


@pytest.fixture
def ten_thousand(project):
    """10,000 occurrences of a week in a project with 20 channels."""
    for index in range(20):
        kind = ("email", "webhook")[index % 2]
        made = factories.ChannelFactory(project=project, kind=kind, key=f"c{index}", position=index)
        Override.objects.create(channel=made, event=EVENTS[index % 5], enabled=bool(index % 3))
    moment = now()
    lists = [("run", "run_failed,scheduled_runs,run_completed"), ("run", "run_failed,run_completed"),
             ("run", "run_completed"), ("crawl", "crawl_completed"), ("generation", "ai_generated")]  # fmt: skip
    decisions = [{"channel": f"c{n}", "gates": ["x" * 40] * 5} for n in range(20)]
    rows = []
    for number in range(10_000):
        kind, fired = lists[number % 5]
        rows.append(
            Occurrence(
                id=uuid7(),
                workspace=project.workspace,
                project=project,
                kind=kind,
                source_id=f"o{number}",
                facts={"id": f"o{number}", "status": "failed", "suite_name": "Checkout " * 8},
                decisions=decisions,
                fired=fired,
                occurred_at=moment,
                received_at=moment - timedelta(minutes=number),
            )
        )
    with transaction.atomic():
        Occurrence.objects.bulk_create(rows, batch_size=500)
    return project


def test_ten_thousand_occurrences_take_less_than_a_second(ten_thousand):
    # Of this process's own work, whatever else the machine does; SQLite's is in it.
    started = time.process_time()
    answer = what_if_for_project(
        ten_thousand, {"events": {"run_failed": False, "run_completed": False, "scheduled_runs": False}}, now()
    )
    took = time.process_time() - started
    assert answer.replay.occurrences == 10_000
    assert took < 1.0


@pytest.mark.django_db
def test_the_number_of_queries_depends_neither_on_events_nor_on_channels(project):
    def count(body):
        with CaptureQueriesContext(connection) as queries:
            what_if_for_project(project, body, now())
        return len(queries)

    factories.ChannelFactory(project=project)
    factories.OccurrenceFactory(project=project)
    before = count({"events": {"run_failed": False}})
    factories.ChannelFactory.create_batch(10, project=project)
    factories.OccurrenceFactory.create_batch(20, project=project)
    assert count({"events": {"run_failed": False}}) == before
    assert count({}) == before - 1


@pytest.mark.django_db
def test_a_page_counts_once_a_minute_and_a_broken_cache_only_costs_time(project, monkeypatch):
    cache.clear()
    factories.OccurrenceFactory(project=project)
    workspace, moment = project.workspace, now()
    assert [group.count for group in recent_groups(workspace, moment)] == [1]
    factories.OccurrenceFactory(project=project)
    assert [group.count for group in recent_groups(workspace, moment)] == [1]
    for name in ("get", "set"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, _broken)
    assert [group.count for group in recent_groups(workspace, moment)] == [2]


def _broken(*args, **kwargs):
    raise ConnectionError("no cache")


@pytest.mark.django_db
def test_several_projects_are_replayed_at_once(workspace):
    cases, expected = {}, []
    for count in (1, 2):
        project = factories.ProjectFactory(workspace=workspace)
        factories.ChannelFactory(project=project, key="hook")
        factories.OccurrenceFactory.create_batch(count, project=project)
        now_ = routing_settings(project, now())
        cases[str(project.pk)] = Case(now_, with_filters(now_, flags={**now_.flags, "run_failed": False}))
        expected.append((count, 0))
    answer = what_if(workspace, cases, moment=now())
    assert [(each.now, each.proposed) for each in answer.replay.channels] == expected
    assert len(answer.unheard) == answer.replay.silenced_count == 3

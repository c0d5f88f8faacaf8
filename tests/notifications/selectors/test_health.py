"""How a channel is doing, in one word."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.models import Channel
from notifications.selectors.health import ChannelHealth, checkups, health_of
from projects.selectors import limits_of
from tests import factories

NOW = datetime(2026, 4, 28, 10, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "over", "expected"),
    [
        ({}, False, ChannelHealth.HEALTHY),
        ({"failures_in_a_row": 1}, False, ChannelHealth.FAILING),
        ({"paused_until": NOW + timedelta(hours=1), "failures_in_a_row": 3}, False, ChannelHealth.PAUSED),
        ({"paused_until": NOW}, False, ChannelHealth.HEALTHY),
        ({"paused_until": NOW + timedelta(hours=1)}, True, ChannelHealth.OVER_PLAN_LIMIT),
        ({"suspended_at": NOW}, True, ChannelHealth.SUSPENDED),
        ({"enabled": False, "suspended_at": NOW}, False, ChannelHealth.OFF),
    ],
)
def test_the_state_that_matters_most_is_the_one_that_is_said(fields, over, expected):
    assert health_of(Channel(**fields), over=over, moment=NOW) is expected


def test_each_project_has_its_own_places_in_the_plan(workspace, project):
    other = factories.ProjectFactory(workspace=workspace)
    channels = [
        factories.ChannelFactory(project=owner, kind="webhook", position=position)
        for owner in (project, other)
        for position in range(4)
    ]
    states = [checkup.health for checkup in checkups(channels, limits_of(workspace.plan), NOW)]
    assert states == [*[ChannelHealth.HEALTHY] * 3, ChannelHealth.OVER_PLAN_LIMIT] * 2

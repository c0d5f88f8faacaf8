"""The order of channels."""

import pytest

from notifications.models import Channel
from notifications.services.ordering import move_channel
from projects.actors import SYSTEM
from projects.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def four(project):
    return [factories.ChannelFactory(project=project, name=name, position=number) for number, name in enumerate("ABCD")]


def order():
    return "".join(Channel.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("index", "places", "expected"),
    [(0, 1, "BACD"), (3, -1, "ABDC"), (1, 2, "ACDB"), (2, -9, "CABD"), (1, 9, "ACDB"), (0, -1, "ABCD"), (2, 0, "ABCD")],
)
def test_a_channel_moves_as_far_as_the_list_goes(four, index, places, expected):
    assert move_channel(SYSTEM, four[index], places) is (expected != "ABCD")
    assert order() == expected
    assert list(Channel.objects.values_list("position", flat=True)) == [0, 1, 2, 3]


def test_equal_positions_are_put_in_order(project):
    channels = [factories.ChannelFactory(project=project, name=name, position=7) for name in "ABC"]
    move_channel(SYSTEM, channels[2], -1)
    assert order() == "ACB"


def test_only_what_moved_is_logged(four):
    move_channel(SYSTEM, four[0], 1)
    changes = [entry.changes for entry in AuditEntry.objects.order_by("pk")]
    assert changes == [{"position": [1, 0]}, {"position": [0, 1]}]


def test_other_projects_keep_their_order(four):
    other = factories.ChannelFactory(position=3)
    move_channel(SYSTEM, four[3], -3)
    other.refresh_from_db()
    assert other.position == 3


def test_a_channel_that_is_gone_moves_nothing(four):
    Channel.objects.filter(pk=four[1].pk).delete()
    assert not move_channel(SYSTEM, four[1], 1)

"""What a plan carries."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.entitlements import (
    Category,
    Limits,
    Place,
    admitted,
    filters_allowed,
    room_for,
    room_for_member,
    room_for_project,
)

KINDS = {"email": Category.EMAIL, "slack": Category.CHAT, "discord": Category.CHAT, "teams": Category.CHAT,
         "webhook": Category.WEBHOOK}  # fmt: skip


def limits(chat=None, per_kind=None, webhooks=None, filters=True, members=None):
    return Limits("pro", "Pro", chat, per_kind, webhooks, filters, None, members, True, 90)


FREE, STARTER, PRO, UNLIMITED = limits(0, 0, 0, False, 1), limits(1, 1, 1, False, 1), limits(3, 1, 3), limits()


def places(*kinds):
    return [Place(number, kind, KINDS[kind]) for number, kind in zip(count(), kinds)]


@pytest.mark.parametrize(
    ("plan", "kinds", "kept"),
    [
        (FREE, ["email", "slack", "webhook"], {0}),
        (STARTER, ["slack", "discord", "webhook", "webhook", "email"], {0, 2, 4}),
        (PRO, ["slack", "slack", "discord", "teams", "webhook", "webhook", "webhook", "webhook"], {0, 2, 3, 4, 5, 6}),
        (UNLIMITED, ["slack"] * 9 + ["webhook"] * 9, set(range(18))),
        (PRO, ["email"] * 5, {0, 1, 2, 3, 4}),
    ],
)
def test_channels_are_admitted_in_their_order_while_the_limits_allow(plan, kinds, kept):
    assert admitted(plan, places(*kinds)) == kept


@pytest.mark.parametrize(
    ("plan", "present", "kind", "limit"),
    [
        (FREE, [], "slack", "chat_channels"),
        (FREE, [], "webhook", "webhooks"),
        (FREE, ["email"] * 9, "email", None),
        (STARTER, ["slack"], "discord", "chat_channels"),
        (PRO, ["slack"], "slack", "chat_channels_per_kind"),
        (PRO, ["slack", "discord"], "teams", None),
        (PRO, ["slack", "discord", "teams"], "slack", "chat_channels"),
        (PRO, ["webhook"] * 2, "webhook", None),
        (PRO, ["webhook"] * 3, "webhook", "webhooks"),
        (UNLIMITED, ["webhook"] * 30, "webhook", None),
    ],
)
def test_there_is_room_for_one_more_until_a_limit_is_reached(plan, present, kind, limit):
    exceeded = room_for(plan, places(*present), kind, KINDS[kind])
    assert (exceeded.limit if exceeded else None) == limit


def test_a_refusal_names_the_limit_what_it_allows_and_the_plan():
    exceeded = room_for(PRO, places("webhook", "webhook", "webhook"), "webhook", Category.WEBHOOK)
    assert exceeded.details == {"limit": "webhooks", "allowed": 3, "used": 3, "plan": "pro"}
    assert exceeded.sentence.startswith("The Pro plan has 3 webhooks per project")


@pytest.mark.parametrize(
    ("allowed", "used", "words"),
    [
        (0, 0, "The Pro plan has no projects. Choose"),
        (1, 1, "The Pro plan has 1 project; 1 is in use. Choose"),
        (1, 3, "The Pro plan has 1 project; 3 are in use. Choose"),
        (10, 10, "The Pro plan has 10 projects; 10 are in use. Choose"),
    ],
)
def test_a_refusal_counts_as_people_do(allowed, used, words):
    assert room_for_project(replace(PRO, projects=allowed), used).sentence.startswith(words)


def test_filters_and_members_have_their_limits_too():
    assert filters_allowed(FREE).limit == "per_channel_filters"
    assert filters_allowed(PRO) is None
    assert room_for_member(FREE, 1).limit == "members"
    assert room_for_member(UNLIMITED, 1000) is None


cap = st.none() | st.integers(0, 4)


@given(cap, cap, cap, st.lists(st.sampled_from(list(KINDS)), max_size=12))
def test_never_more_are_admitted_than_the_plan_allows(chat, per_kind, webhooks, kinds):
    given_places = places(*kinds)
    kept = [place for place in given_places if place.id in admitted(limits(chat, per_kind, webhooks), given_places)]
    chats = [place for place in kept if place.category is Category.CHAT]
    assert chat is None or len(chats) <= chat
    assert webhooks is None or sum(place.category is Category.WEBHOOK for place in kept) <= webhooks
    for kind in ("slack", "discord", "teams"):
        assert per_kind is None or sum(place.kind == kind for place in chats) <= per_kind
    assert sum(place.category is Category.EMAIL for place in kept) == kinds.count("email")


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=12), st.sampled_from([FREE, STARTER, PRO, UNLIMITED]))
def test_each_is_admitted_when_there_is_room_beside_those_before_it(kinds, plan):
    kept = []
    for place in places(*kinds):
        if room_for(plan, kept, place.kind, place.category) is None:
            kept.append(place)
    assert admitted(plan, places(*kinds)) == {place.id for place in kept}


def test_each_place_is_looked_at_once():
    """Two hundred channels of a project are judged for every event."""
    looked_at = count()

    class Watched(Place):
        @property
        def category(self):
            next(looked_at)
            return Category.WEBHOOK

    many = [object.__new__(Watched) for _ in range(200)]
    for number, place in enumerate(many):
        object.__setattr__(place, "id", number)
        object.__setattr__(place, "kind", "webhook")
    assert len(admitted(UNLIMITED, many)) == 200
    assert next(looked_at) <= 3 * 200

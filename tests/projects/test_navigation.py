"""The sidebar's entries."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.urls import path

from aegisnotify.clock import now
from projects.access import Role
from projects.navigation import MAIN, SETTINGS, links, measure
from tests import factories

urlpatterns = [
    path(f"{name}/", lambda request: HttpResponse(), name=name)
    for name in ("overview", "deliveries", "settings_email", "settings_tokens", "settings_members", "settings_audit")
]


def labels(entries, role, current=""):
    return [link.label for link in links(entries, "acme", role, current)]


@pytest.mark.urls(__name__)
class TestEntries:
    def test_an_entry_whose_page_does_not_exist_is_left_out(self):
        assert labels(MAIN, Role.OWNER) == ["Overview", "Deliveries"]

    def test_links_carry_the_workspace(self):
        assert [link.url for link in links(MAIN, "acme", Role.OWNER, "")] == [
            "/overview/?ws=acme",
            "/deliveries/?ws=acme",
        ]

    def test_a_page_below_an_entry_makes_it_the_current_one(self):
        assert [link.label for link in links(MAIN, "acme", Role.OWNER, "event_why") if link.current] == ["Deliveries"]

    @pytest.mark.parametrize(
        ("role", "expected"),
        [
            (Role.VIEWER, ["Email preferences"]),
            (Role.MEMBER, ["Email preferences"]),
            (Role.ADMIN, ["Email preferences", "API tokens", "Members", "Audit log"]),
            (Role.OWNER, ["Email preferences", "API tokens", "Members", "Audit log"]),
        ],
    )
    def test_settings_are_shown_to_those_who_may_open_them(self, role, expected):
        assert labels(SETTINGS, role) == expected


@pytest.mark.django_db
def test_what_wants_attention_stands_beside_its_entry(client, project, people, django_assert_num_queries):
    moment = now()
    made = {
        "failing": {"failures_in_a_row": 3},
        "suspended": {"suspended_at": moment},
        "healthy": {},
        "off": {"failures_in_a_row": 3, "enabled": False},
        "paused": {"failures_in_a_row": 3, "paused_until": moment + timedelta(hours=1)},
    }
    for key, fields in made.items():
        factories.ChannelFactory(project=project, kind="webhook", key=key, **fields)
    factories.ChannelFactory(failures_in_a_row=3)  # another workspace's
    with django_assert_num_queries(1):
        assert measure(project.workspace_id, moment) == (1, {"notifications": "2 failing"})
    client.force_login(people.viewer)
    assert '<span class="badge ml-auto">2 failing</span>' in client.get("/usage/?ws=acme").content.decode()

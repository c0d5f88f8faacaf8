"""Which indexes serve the pages of large workspaces."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegisnotify.clock import now
from notifications.insight.whatif import fired_groups
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of a few rows without an index"),
]


def plans_of(read):
    """How the database goes about each of the queries."""
    with CaptureQueriesContext(connection) as queries:
        read()
    with connection.cursor() as cursor:
        return [
            " ".join(row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall())
            for query in queries
            if query["sql"].startswith("SELECT")
        ]


@pytest.mark.parametrize("only", [False, True])
def test_what_if_counts_by_an_index_alone_and_in_its_order(project, only):
    since = now() - timedelta(days=7)
    (plan,) = plans_of(lambda: fired_groups(project.workspace, since, project_id=str(project.pk) if only else None))
    assert "USING INDEX occurrence_fired_in_project (project_id=? AND fired=? AND received_at>?)" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("status", ["failed", "cancelled", "held", "pending", "sending", "retrying"])
@pytest.mark.parametrize(
    ("scope", "index"),
    [
        ("", "delivery_by_status"),
        ("&project=acme-web", "undelivered_by_project"),
        ("&channel=ops", "undelivered_by_channel"),
        ("&project=acme-web&channel=ops", "undelivered_by_channel"),
    ],
)
def test_deliveries_of_a_rare_status_are_found_in_their_order(client, people, project, status, scope, index):
    factories.ChannelFactory(project=project, key="ops")
    client.force_login(people.viewer)
    plans = plans_of(lambda: client.get(f"/deliveries/?ws=acme&status={status}{scope}"))
    (plan,) = [plan for plan in plans if "notifications_delivery USING INDEX" in plan]
    assert f"USING INDEX {index} (" in plan
    assert "TEMP B-TREE" not in plan


def test_what_a_channel_has_not_delivered_yet_is_counted_by_an_index(client, people, project):
    channel = factories.ChannelFactory(project=project)
    client.force_login(people.admin)
    plans = plans_of(lambda: client.get(f"/p/acme-web/channels/{channel.pk}/delete?ws=acme"))
    assert any("undelivered_by_channel (channel_id=? AND status=?)" in plan for plan in plans)

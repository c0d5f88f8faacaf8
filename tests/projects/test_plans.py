"""The seeded plans are the published table."""

import pytest

from projects.models import Plan

pytestmark = pytest.mark.django_db

TABLE = {
    #             chat  kind  hooks filters runs   scans projects members days  audit
    "free":       (0,    0,    0,    False, 50,    5,    1,    1,    7,    False),
    "starter":    (1,    1,    1,    False, 500,   25,   3,    1,    30,   False),
    "pro":        (3,    1,    3,    True,  2500,  100,  10,   5,    90,   True),
    "business":   (None, None, None, True,  10000, 500,  25,   15,   365,  True),
    "enterprise": (None, None, None, True,  None,  None, None, None, None, True),
}  # fmt: skip
COLUMNS = (
    "chat_channels", "chat_channels_per_kind", "webhooks", "per_channel_filters", "runs_per_month", "scans_per_month",
    "projects", "members", "history_days", "audit_log",
)  # fmt: skip


def test_the_seeded_plans_are_the_published_ones():
    assert {plan.code: tuple(getattr(plan, column) for column in COLUMNS) for plan in Plan.objects.all()} == TABLE

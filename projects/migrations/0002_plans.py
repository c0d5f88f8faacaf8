"""Seed the five plans we sell. Rows that are there already keep whatever staff made of them."""

from django.db import migrations

PLANS = [
    {
        "code": "free", "name": "Free", "position": 1,
        "chat_channels": 0, "chat_channels_per_kind": 0, "webhooks": 0, "per_channel_filters": False,
        "runs_per_month": 50, "scans_per_month": 5, "projects": 1, "members": 1, "history_days": 7, "audit_log": False,
    },
    {
        "code": "starter", "name": "Starter", "position": 2,
        "chat_channels": 1, "chat_channels_per_kind": 1, "webhooks": 1, "per_channel_filters": False,
        "runs_per_month": 500, "scans_per_month": 25, "projects": 3, "members": 1, "history_days": 30, "audit_log": False,
    },
    {
        "code": "pro", "name": "Pro", "position": 3,
        "chat_channels": 3, "chat_channels_per_kind": 1, "webhooks": 3, "per_channel_filters": True,
        "runs_per_month": 2500, "scans_per_month": 100, "projects": 10, "members": 5, "history_days": 90, "audit_log": True,
    },
    {
        "code": "business", "name": "Business", "position": 4,
        "chat_channels": None, "chat_channels_per_kind": None, "webhooks": None, "per_channel_filters": True,
        "runs_per_month": 10000, "scans_per_month": 500, "projects": 25, "members": 15, "history_days": 365, "audit_log": True,
    },
    {
        "code": "enterprise", "name": "Enterprise", "position": 5,
        "chat_channels": None, "chat_channels_per_kind": None, "webhooks": None, "per_channel_filters": True,
        "runs_per_month": None, "scans_per_month": None, "projects": None, "members": None, "history_days": None, "audit_log": True,
    },
]  # fmt: skip


def seed(apps, schema_editor):
    plans = apps.get_model("projects", "Plan").objects
    for plan in PLANS:
        plans.get_or_create(code=plan["code"], defaults=plan)


def unseed(apps, schema_editor):
    """Remove the seeded plans that nobody uses; a plan in use can't be removed, so it stays."""
    plans = apps.get_model("projects", "Plan").objects
    plans.filter(code__in=[plan["code"] for plan in PLANS], workspaces=None).delete()


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]
    operations = [migrations.RunPython(seed, unseed)]

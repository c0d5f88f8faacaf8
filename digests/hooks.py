"""What digests add to what lower rooms and the worker do."""

from typing import Any

from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django_q.models import Schedule

from digests.activity import seen
from digests.daily.clocks import timing_changed
from digests.schedules import keep_schedules
from digests.tasks import send_overdue
from digests.usage_warnings.sending import note_crossing
from notifications.delivery.periodic import every
from notifications.timing import on_timing_changed
from projects.hooks import on_seen, on_usage_crossed

on_seen(seen)
on_usage_crossed(note_crossing)
on_timing_changed(timing_changed)
every(60)(keep_schedules)
every(60)(send_overdue)


@receiver(post_migrate, dispatch_uid="digests.schedules")
def make_schedules(app_config: Any, **kwargs: Any) -> None:
    """An installation has its schedules before its first worker starts."""
    if app_config.name == "django_q" and Schedule._meta.db_table in connection.introspection.table_names():
        keep_schedules()

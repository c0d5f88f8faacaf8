"""Remembering when people did something, and the project they opened last."""

import logging
from typing import Any

from django.core.cache import cache
from django.db import transaction

from aegisnotify.clock import now
from digests.models import PersonActivity
from projects.models import Project, User

logger = logging.getLogger(__name__)

# A nudge counts days: to the nearest ten minutes is enough, and spares a write for nearly every request.
STEP = 600


def seen(user: User, project: Project | None = None) -> None:
    """Somebody did something, and opened a project if one is given. Noted after what they do is committed, and whatever
    goes wrong with it is only logged: the page that was asked for matters more."""
    transaction.on_commit(lambda: note(user, project), robust=True)


def note(user: User, project: Project | None = None) -> None:
    """Costs a look into the cache, and every ten minutes one statement."""
    opened = str(project.pk) if project else ""
    key = f"seen:{user.pk}"
    try:
        known = cache.get(key)
        if known is not None and (not opened or known == opened):
            return
        cache.set(key, opened or known or "", STEP)
    except Exception as error:
        # Then it is written each time: slower, and as good.
        logger.warning("The cache fails, so every request is noted: %s", type(error).__name__)
    fields: dict[str, Any] = {"seen_at": now()} | ({"last_project": project} if project else {})
    PersonActivity.objects.bulk_create(
        [PersonActivity(user=user, **fields)], update_conflicts=True, unique_fields=["user"], update_fields=[*fields]
    )

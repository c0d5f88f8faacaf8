"""A workspace goes, and with it what may be a million rows."""

from typing import Any

from django.db.models import Model

from notifications.models import Attempt, Delivery, Occurrence
from projects.models import Workspace

# Django loads what it deletes when other rows depend on it. In steps, a large history needs no more memory than a
# small one.
STEP = 2000


def delete_history(workspace: Workspace) -> None:
    """Deliveries with their attempts, then occurrences. Within the caller's transaction."""
    # Nothing depends on attempts: that is one statement.
    Attempt.objects.filter(delivery__workspace=workspace).delete()
    _in_steps(Delivery, workspace)
    _in_steps(Occurrence, workspace)


def _in_steps(model: type[Model], workspace: Workspace) -> None:
    rows: Any = model._default_manager.filter(workspace=workspace).order_by("pk")
    while ids := list(rows.values_list("pk", flat=True)[:STEP]):
        model._default_manager.filter(pk__in=ids).delete()

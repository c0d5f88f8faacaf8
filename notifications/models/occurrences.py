"""What happened, and what was decided when it was reported."""

from typing import ClassVar

from django.db import models

from aegisnotify.ids import uuid7
from notifications.catalog import OccurrenceKind
from projects.models import Project, Workspace

_REMEMBERED = models.Q(forgotten=False)


class Remembered(models.Manager["Occurrence"]):
    """Without the bare keys: nothing that is shown, counted or compared is about those."""

    def get_queryset(self) -> models.QuerySet["Occurrence"]:
        return super().get_queryset().filter(forgotten=False)


class Occurrence(models.Model):
    """Something that happened once. The first report's facts are final.

    A `forgotten` one is past its history: a bare key without facts and decisions, by which a late repeat is known.
    `objects` has none of them, `keys` has all.

    `fired` is the comma-separated list of fired events, most specific first (there are few distinct lists, so an index
    serves "which occurrences fired X"). `decisions` holds the decisions as codes and ids, in the shape of the API.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="occurrences")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="occurrences")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in OccurrenceKind])
    source_id = models.CharField(max_length=200)
    facts = models.JSONField()
    fired = models.CharField(max_length=200, blank=True)
    decisions = models.JSONField(default=list)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    forgotten = models.BooleanField(default=False, db_default=False)

    objects = Remembered()
    keys: ClassVar[models.Manager["Occurrence"]] = models.Manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(
                fields=["workspace", "-received_at", "-id"], condition=_REMEMBERED, name="occurrence_by_workspace"
            ),
            models.Index(
                fields=["project", "-received_at", "-id"], condition=_REMEMBERED, name="occurrence_by_project"
            ),
            models.Index(
                fields=["workspace", "fired", "-received_at", "-id"], condition=_REMEMBERED, name="occurrence_by_fired"
            ),
            # What-if counts by it: a range of it is a project's occurrences that fired the same.
            models.Index(
                fields=["project", "fired", "-received_at"], condition=_REMEMBERED, name="occurrence_fired_in_project"
            ),
            models.Index(
                fields=["workspace", "received_at"], condition=models.Q(forgotten=True), name="occurrence_forgotten"
            ),
            # Staff look for the id of a run, whosever it is.
            models.Index(fields=["source_id"], name="occurrence_by_source"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "source_id"], name="occurrence_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in OccurrenceKind]), name="occurrence_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"

    @property
    def fired_events(self) -> list[str]:
        return self.fired.split(",") if self.fired else []

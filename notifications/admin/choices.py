"""List filters whose choices come from the code: asking the table for its values would read all of it."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from aegisnotify.admin import NewestFilter
from aegisnotify.clock import now
from aegisnotify.ids import uuid7_floor
from notifications import catalog
from notifications.channels import registry
from notifications.models import Attempt, DeliveryStatus
from notifications.models.deliveries import ENDS_TO_LOOK_AT, UNFINISHED, status_among


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in registry.kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class EventFilter(admin.SimpleListFilter):
    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event.name, event.label) for event in catalog.events()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class NewestKindFilter(NewestFilter):
    what = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in registry.kinds()]


class NewestEventFilter(NewestFilter):
    what = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event.name, event.label) for event in catalog.events()]


class NewestOccurrenceKindFilter(NewestFilter):
    what = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, kind.value) for kind in catalog.OccurrenceKind]


class NewestOutcomeFilter(NewestFilter):
    what = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(outcome.value, outcome.label.lower()) for outcome in Attempt.Outcome]


class StatusFilter(admin.SimpleListFilter):
    """Each choice by the index that has few rows of it; what is delivered is most of the table."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label.lower()) for status in DeliveryStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        status = self.value()
        for few in (UNFINISHED, ENDS_TO_LOOK_AT):
            if status in few:
                queryset = queryset.filter(status_among(few))
        return queryset.filter(status=status) if status else queryset


class CreatedFilter(admin.SimpleListFilter):
    """By the key, which is ordered by time."""

    title = "created"
    parameter_name = "created"
    spans = (("1h", "last hour", 1), ("24h", "last 24 hours", 24), ("7d", "last 7 days", 24 * 7))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, label, _ in self.spans]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        hours = next((hours for value, _, hours in self.spans if value == self.value()), None)
        return queryset if hours is None else queryset.filter(pk__gte=uuid7_floor(now() - timedelta(hours=hours)))

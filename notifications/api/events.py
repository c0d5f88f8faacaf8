"""`/events`: report what happened, one at a time or in batches, and read who was told."""

import json
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import paginate, period
from aegisnotify.api.parsers import DEFAULT_BODY_LIMIT
from aegisnotify.api.schema import PAGE_PARAMETERS, PERIOD_PARAMETERS, errors, page_of
from notifications.api import presenters
from notifications.api.parameters import body_of, event_in, project_in
from notifications.api.payloads import BATCH_REQUEST, MOST_EVENTS, REPORT_REQUEST, batch_examples, report_examples
from notifications.api.schemas import (
    EVENT_PARAMETER,
    PROJECT_PARAMETER,
    BatchAnswerSerializer,
    EventSerializer,
    RecordedSerializer,
)
from notifications.intake.recording import record, record_batch
from notifications.selectors.occurrences import find_occurrence, occurrences_of
from projects.api.views import WorkspaceView
from projects.errors import Invalid, NotFound, TooLarge
from projects.scopes import Scope

MOST_BATCH_BYTES = 5 * 1024 * 1024


class EventsView(WorkspaceView):
    scopes = {"GET": Scope.DELIVERIES_READ, "POST": Scope.EVENTS_WRITE}

    @extend_schema(
        operation_id="events_list",
        summary="List the events",
        description="Newest first.",
        parameters=[PROJECT_PARAMETER, EVENT_PARAMETER, *PERIOD_PARAMETERS, *PAGE_PARAMETERS],
        responses={200: page_of(EventSerializer), **errors(400, 404)},
    )
    def get(self, request: Request) -> Response:
        parameters = request.query_params
        since, until = period(parameters)
        rows = occurrences_of(
            self.principal.workspace,
            project=project_in(self.principal, parameters),
            event=event_in(parameters),
            since=since,
            until=until,
        )
        return Response(paginate(parameters, rows, presenters.occurrence))

    @extend_schema(
        operation_id="events_report",
        summary="Report an event",
        description="Records what happened, decides for every channel whether it is told, and queues the messages. "
        "Which events fire follows from the facts: a failed run that a schedule started fires `run_failed`, "
        "`scheduled_runs` and `run_completed`. The same run, crawl or generation reported again answers with the first "
        "report's result; only a later report that names `scheduled_runs` still adds that event, once. Fields that are "
        f"not listed are kept and passed through. A body of more than {DEFAULT_BODY_LIMIT // 1024} KB is refused.",
        request=REPORT_REQUEST,
        examples=report_examples(),
        responses={
            200: OpenApiResponse(RecordedSerializer, description="It was reported before; `duplicate` is true."),
            202: OpenApiResponse(RecordedSerializer, description="It is recorded, and the messages are queued."),
            **errors(400, 404, 413),
        },
    )
    def post(self, request: Request) -> Response:
        recorded = record(self.principal.workspace, request.data, only=self.principal.limited_to)
        return Response(presenters.recorded(recorded), status=presenters.recorded_status(recorded))


class EventBatchView(WorkspaceView):
    scopes = {"POST": Scope.EVENTS_WRITE}
    body_limit = MOST_BATCH_BYTES

    @extend_schema(
        operation_id="events_report_batch",
        summary="Report many events at once",
        description="Every event is answered as if it had been reported alone, in order; those that are valid are "
        f"recorded in one transaction. A body of more than {MOST_BATCH_BYTES // (1024 * 1024)} MB, or of more than "
        f"{MOST_EVENTS} events, is refused as a whole, and so is one that is not strict JSON.",
        request=BATCH_REQUEST,
        examples=batch_examples(),
        responses={200: BatchAnswerSerializer, **errors(400, 413)},
    )
    def post(self, request: Request) -> Response:
        events = body_of(request).get("events")
        if not isinstance(events, list):
            raise Invalid({"events": [f"A list of at most {MOST_EVENTS} events is expected."]})
        if len(events) > MOST_EVENTS:
            raise TooLarge(
                f"At most {MOST_EVENTS} events in a batch; these are {len(events):,}.", {"limit_events": MOST_EVENTS}
            )
        refusals = [_too_large(event) for event in events]
        accepted = [event for event, refusal in zip(events, refusals, strict=True) if refusal is None]
        recorded = iter(record_batch(self.principal.workspace, accepted, only=self.principal.limited_to))
        return Response({"results": [presenters.batch_item(refusal or next(recorded)) for refusal in refusals]})


class EventView(WorkspaceView):
    scopes = {"GET": Scope.DELIVERIES_READ}

    @extend_schema(
        operation_id="events_read",
        summary="Read an event with its trace",
        description="The decisions are those that were made when it was reported, every gate included.",
        responses={200: EventSerializer, **errors(404)},
    )
    def get(self, request: Request, event_id: UUID) -> Response:
        found = find_occurrence(self.principal.workspace, event_id, project=self.principal.limited_to)
        if found is None:
            raise NotFound("There is no such event.")
        return Response(presenters.occurrence(found))


def _too_large(event: Any) -> TooLarge | None:
    """The error for an event that could not be reported alone. Measured without white space between its parts."""
    size = len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
    if size <= DEFAULT_BODY_LIMIT:
        return None
    return TooLarge(f"The event is larger than {DEFAULT_BODY_LIMIT // 1024} KB.", {"limit_bytes": DEFAULT_BODY_LIMIT})

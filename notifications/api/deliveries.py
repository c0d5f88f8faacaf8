"""`/deliveries`: what was sent, how every try went, and sending once more."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import paginate, period, text_of
from aegisnotify.api.schema import PAGE_PARAMETERS, PERIOD_PARAMETERS, errors, page_of
from notifications.api import presenters
from notifications.api.parameters import choice_in, event_in, id_in, project_in
from notifications.api.schemas import DELIVERY_PARAMETERS, EVENT_PARAMETER, PROJECT_PARAMETER, DeliverySerializer
from notifications.models import Delivery, DeliveryStatus
from notifications.selectors.deliveries import deliveries_of, find_delivery
from notifications.services.deliveries import redeliver
from projects.api.views import WorkspaceView
from projects.errors import NotFound
from projects.principal import Principal
from projects.scopes import Scope


class DeliveriesView(WorkspaceView):
    scopes = {"GET": Scope.DELIVERIES_READ}

    @extend_schema(
        operation_id="deliveries_list",
        summary="List the deliveries",
        description="Newest first, each with its attempts.",
        parameters=[
            PROJECT_PARAMETER,
            *DELIVERY_PARAMETERS,
            EVENT_PARAMETER,
            *PERIOD_PARAMETERS,
            *PAGE_PARAMETERS,
        ],
        responses={200: page_of(DeliverySerializer), **errors(400, 404)},
    )
    def get(self, request: Request) -> Response:
        parameters = request.query_params
        since, until = period(parameters)
        rows = deliveries_of(
            self.principal.workspace,
            project=project_in(self.principal, parameters),
            channel=text_of(parameters, "channel"),
            status=choice_in(parameters, "status", DeliveryStatus.values),
            event=event_in(parameters),
            event_id=id_in(parameters, "event_id"),
            since=since,
            until=until,
        )
        return Response(paginate(parameters, rows, presenters.delivery))


class DeliveryView(WorkspaceView):
    scopes = {"GET": Scope.DELIVERIES_READ}

    @extend_schema(
        operation_id="deliveries_read",
        summary="Read a delivery with its attempts",
        responses={200: DeliverySerializer, **errors(404)},
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        return Response(presenters.delivery(_delivery(self.principal, delivery_id)))


class RedeliverView(WorkspaceView):
    scopes = {"POST": Scope.DELIVERIES_WRITE}

    @extend_schema(
        operation_id="deliveries_redeliver",
        summary="Send a delivery once more",
        description="For one that is delivered, failed or cancelled. It keeps its id; its retries start again.",
        request=None,
        responses={
            202: OpenApiResponse(DeliverySerializer, description="It is queued."),
            **errors(402, 404, 409),
        },
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        redeliver(self.principal.actor, _delivery(self.principal, delivery_id))
        return Response(presenters.delivery(_delivery(self.principal, delivery_id)), status=202)


def _delivery(principal: Principal, delivery_id: UUID) -> Delivery:
    found = find_delivery(principal.workspace, delivery_id, project=principal.limited_to)
    if found is None:
        raise NotFound("There is no such delivery.")
    return found

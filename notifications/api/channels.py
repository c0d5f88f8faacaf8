"""`/projects/{slug}/channels`: create, read, change, delete, test; rotate a webhook's secret."""

import dataclasses

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import paginate
from aegisnotify.api.schema import PAGE_PARAMETERS, errors, page_of
from aegisnotify.clock import now
from notifications.api.presenters import ChannelPresenter, saved_channel
from notifications.api.schemas import (
    ChannelSerializer,
    ChannelWriteSerializer,
    RotateSerializer,
    SavedChannelSerializer,
    StagedSerializer,
    TestAnswerSerializer,
    TestSerializer,
)
from notifications.models import Channel
from notifications.services.channels import (
    activate_secret,
    create_channel,
    delete_channel,
    rotate_secret,
    update_channel,
)
from notifications.services.testing import send_test
from projects.api.views import WorkspaceView
from projects.errors import Invalid, NotFound
from projects.scopes import Scope


class ChannelsView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ, "POST": Scope.SETTINGS_WRITE}

    @extend_schema(
        operation_id="channels_list",
        summary="List a project's channels",
        description="In their order, which also decides which of them a smaller plan carries.",
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ChannelSerializer), **errors(400, 404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        project = self.project()
        rows = project.channels.prefetch_related("overrides")
        return Response(paginate(request.query_params, rows, ChannelPresenter(project, now())))

    @extend_schema(
        operation_id="channels_create",
        summary="Create a channel",
        description="A channel that is switched off can always be created; one that is on needs room in the plan.",
        request=ChannelWriteSerializer,
        responses={201: SavedChannelSerializer, **errors(400, 402, 404, 409, 413)},
    )
    def post(self, request: Request, slug: str) -> Response:
        project = self.project()
        saved = create_channel(self.principal.actor, project, **ChannelWriteSerializer.read(request.data))
        return Response(saved_channel(saved, ChannelPresenter(project, now())), status=201)


class OneChannelView(WorkspaceView):
    """What concerns the channel that the address names."""

    def channel(self) -> Channel:
        """Raises `NotFound`."""
        channel = self.project().channels.filter(key=self.kwargs["key"]).first()
        if channel is None:
            raise NotFound(f"There is no channel “{self.kwargs['key'][:60]}” in this project.")
        return channel


class ChannelView(OneChannelView):
    scopes = {"GET": Scope.SETTINGS_READ, "PATCH": Scope.SETTINGS_WRITE, "DELETE": Scope.SETTINGS_WRITE}

    @extend_schema(
        operation_id="channels_read",
        summary="Read a channel",
        responses={200: ChannelSerializer, **errors(404)},
    )
    def get(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        return Response(ChannelPresenter(channel.project, now())(channel))

    @extend_schema(
        operation_id="channels_change",
        summary="Change a channel",
        description="What is not given keeps its value. A webhook's secret is changed by rotating it.",
        request=ChannelWriteSerializer(partial=True),
        responses={200: SavedChannelSerializer, **errors(400, 402, 404, 409, 413)},
    )
    def patch(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        written = ChannelWriteSerializer.read(request.data, partial=True)
        if written.pop("kind", channel.kind) != channel.kind:
            raise Invalid({"kind": ["The kind of a channel can't be changed. Create another channel."]})
        saved = update_channel(self.principal.actor, channel, **written)
        return Response(saved_channel(saved, ChannelPresenter(channel.project, now())))

    @extend_schema(
        operation_id="channels_delete",
        summary="Delete a channel",
        description="What it has not delivered yet is cancelled. Its history stays.",
        responses={204: OpenApiResponse(description="It is deleted."), **errors(404)},
    )
    def delete(self, request: Request, slug: str, key: str) -> Response:
        delete_channel(self.principal.actor, self.channel())
        return Response(status=204)


class ChannelTestView(OneChannelView):
    scopes = {"POST": Scope.DELIVERIES_WRITE}

    @extend_schema(
        operation_id="channels_test",
        summary="Send a test",
        description="Sends a sample of an event, also while the channel is off, paused or suspended, and answers with "
        "what the other side said. A success lifts a suspension. At most ten a minute per channel.",
        request=TestSerializer,
        responses={200: TestAnswerSerializer, **errors(400, 402, 404, 409, 413)},
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        body = TestSerializer.read(request.data)
        return Response(dataclasses.asdict(send_test(self.principal.actor, channel, **body)))


class ChannelRotateView(OneChannelView):
    scopes = {"POST": Scope.SETTINGS_WRITE}

    @extend_schema(
        operation_id="channels_rotate_secret",
        summary="Stage another secret for a webhook",
        description="The present secret goes on signing `X-AegisRunner-Signature`; the new one signs "
        "`X-AegisRunner-Signature-Next` and both sign `webhook-signature`, until the new one is activated.",
        request=RotateSerializer,
        responses={200: StagedSerializer, **errors(400, 404, 409, 413)},
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        body = RotateSerializer.read(request.data)
        staged = rotate_secret(self.principal.actor, channel, **body)
        secret = {"secret": staged.secret} if staged.secret is not None else {}
        return Response({**secret, "activates_at": staged.activates_at})


class ChannelActivateView(OneChannelView):
    scopes = {"POST": Scope.SETTINGS_WRITE}

    @extend_schema(
        operation_id="channels_activate_secret",
        summary="Activate the staged secret",
        description="From now on only the new one signs.",
        request=None,
        responses={200: ChannelSerializer, **errors(404, 409)},
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        activate_secret(self.principal.actor, self.channel())
        channel = self.channel()
        return Response(ChannelPresenter(channel.project, now())(channel))

"""Pausing, resuming and recovering a channel, and the jobs that recover."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import moment_of
from aegisnotify.api.schema import errors
from aegisnotify.api.serializers import StrictCharField, StrictSerializer
from aegisnotify.clock import now
from notifications.api.channels import OneChannelView
from notifications.api.presenters import ChannelPresenter
from notifications.api.schemas import ChannelSerializer
from notifications.models import RecoveryJob
from notifications.services.pausing import pause_channel, resume_channel
from notifications.services.recovery import start_recovery
from notifications.services.remedies import ask_recipients
from projects.api.views import WorkspaceView
from projects.errors import NotFound
from projects.scopes import Scope


@extend_schema_field(serializers.DateTimeField)
class MomentField(serializers.Field):
    """An ISO 8601 date and time with its offset."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError("A date and time as text is expected.")
        try:
            return moment_of(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Any) -> Any:
        return value


class PauseSerializer(StrictSerializer):
    until = MomentField(help_text="In the future, within a year.")


class RecoverSerializer(StrictSerializer):
    since = MomentField(help_text="What was missed from this moment on is sent.")


class AskSerializer(StrictSerializer):
    email = StrictCharField(required=False, help_text="One recipient; left out, all that are unconfirmed.")


class AskedSerializer(serializers.Serializer):
    asked = serializers.ListField(
        child=serializers.EmailField(),
        help_text="Whom a mail went to: nobody who was asked a moment ago, or often enough today.",
    )


class StartedJobSerializer(serializers.Serializer):
    job = serializers.UUIDField(help_text="To be followed at /jobs/{id}.")


class JobSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    done = serializers.IntegerField(help_text="Rows looked at.")
    total = serializers.IntegerField(help_text="Rows to look at.")
    sent = serializers.IntegerField(help_text="Deliveries that were queued.")
    status = serializers.ChoiceField(choices=RecoveryJob.Status.values)
    error = serializers.CharField(allow_blank=True, help_text="Why it failed, if it did.")


class ChannelPauseView(OneChannelView):
    scopes = {"POST": Scope.DELIVERIES_WRITE}

    @extend_schema(
        operation_id="channels_pause",
        summary="Pause a channel",
        description="Nothing is sent until then. What was held back can be recovered.",
        request=PauseSerializer,
        responses={200: ChannelSerializer, **errors(400, 404, 413)},
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        body = PauseSerializer.read(request.data)
        pause_channel(self.principal.actor, channel, body["until"])
        return Response(ChannelPresenter(channel.project, now())(self.channel()))


class ChannelConfirmView(OneChannelView):
    scopes = {"POST": Scope.SETTINGS_WRITE}

    @extend_schema(
        operation_id="channels_confirm",
        summary="Ask recipients once more to confirm their address",
        request=AskSerializer,
        responses={200: AskedSerializer, **errors(400, 404, 413)},
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        body = AskSerializer.read(request.data)
        return Response({"asked": ask_recipients(self.principal.actor, channel, body.get("email"))})


class ChannelResumeView(OneChannelView):
    scopes = {"POST": Scope.DELIVERIES_WRITE}

    @extend_schema(
        operation_id="channels_resume",
        summary="Resume a channel",
        description="Ends a pause or a suspension. One that is neither stays as it is.",
        request=None,
        responses={200: ChannelSerializer, **errors(404)},
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        resume_channel(self.principal.actor, channel)
        return Response(ChannelPresenter(channel.project, now())(self.channel()))


class ChannelRecoverView(OneChannelView):
    scopes = {"POST": Scope.DELIVERIES_WRITE}

    @extend_schema(
        operation_id="channels_recover",
        summary="Recover what a channel missed",
        description="Sends its failed and cancelled deliveries again, and what only a pause or a suspension stopped. "
        "One job at a time per channel.",
        request=RecoverSerializer,
        responses={
            202: OpenApiResponse(StartedJobSerializer, description="The job is queued."),
            **errors(400, 402, 404, 409, 413),
        },
    )
    def post(self, request: Request, slug: str, key: str) -> Response:
        channel = self.channel()
        body = RecoverSerializer.read(request.data)
        job = start_recovery(self.principal.actor, channel, body["since"])
        return Response({"job": job.pk}, status=202)


class JobView(WorkspaceView):
    scopes = {"GET": Scope.DELIVERIES_READ}

    @extend_schema(
        operation_id="jobs_read",
        summary="Follow a job",
        responses={200: JobSerializer, **errors(404)},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        projects = self.principal.projects()
        job = RecoveryJob.objects.filter(pk=job_id, channel__project__in=projects).first()
        if job is None:
            raise NotFound("There is no such job.")
        return Response(JobSerializer(job).data)

"""`/usage`: what the workspace used this month, against its plan."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.schema import errors
from aegisnotify.clock import now
from projects.api.views import WorkspaceView
from projects.scopes import Scope
from projects.selectors import usage_of
from projects.usage import period_of


class MeterSerializer(serializers.Serializer):
    used = serializers.IntegerField()
    cap = serializers.IntegerField(allow_null=True, help_text="null is unlimited.")
    percent = serializers.IntegerField(allow_null=True, help_text="Rounded down; null where there is no cap.")


class MetersSerializer(serializers.Serializer):
    runs = MeterSerializer()
    scans = MeterSerializer()


class UsageSerializer(serializers.Serializer):
    period = serializers.CharField(help_text="The calendar month (UTC), such as 2026-11.")
    plan = serializers.CharField()
    meters = MetersSerializer()


class UsageView(WorkspaceView):
    scopes = {"GET": Scope.SETTINGS_READ}
    workspace_wide = {"GET"}

    @extend_schema(
        operation_id="usage_read",
        summary="Read this month's usage",
        responses={200: UsageSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        moment, workspace = now(), self.principal.workspace
        return Response(
            {
                "period": period_of(moment).strftime("%Y-%m"),
                "plan": workspace.plan.code,
                "meters": {meter.value: figures for meter, figures in usage_of(workspace, moment).items()},
            }
        )

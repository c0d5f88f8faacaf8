"""`/projects/{slug}/notification-settings/what-if`: what other settings would have done with what really happened."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.schema import errors
from aegisnotify.clock import now
from notifications.api.parameters import body_of
from notifications.api.schemas import WhatIfAnswerSerializer, WhatIfSerializer
from notifications.insight.whatif import what_if_for_project
from projects.api.views import WorkspaceView
from projects.scopes import Scope


class WhatIfView(WorkspaceView):
    scopes = {"POST": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="project_notification_settings_what_if",
        summary="Try other notification settings",
        description="Replays the events of the last days, at most those the plan keeps, through the function that "
        "routes, with the channels as they are now. Flags and filters merge like a PATCH of the settings. Nothing is "
        "changed. Where the plan has no per-channel filters they decide nothing here either.",
        request=WhatIfSerializer,
        responses={200: WhatIfAnswerSerializer, **errors(400, 404, 413)},
    )
    def post(self, request: Request, slug: str) -> Response:
        answer = what_if_for_project(self.project(), body_of(request), now())
        return Response(
            {
                "occurrences": answer.replay.occurrences,
                "channels": [
                    {"channel": result.channel.key, "now": result.now, "proposed": result.proposed}
                    for result in answer.replay.channels
                ],
                "failures_no_longer_heard": [str(pk) for pk in answer.unheard],
                "failures_no_longer_heard_count": answer.replay.silenced_count,
            }
        )

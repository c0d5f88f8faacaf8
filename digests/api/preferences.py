"""`/email-preferences`: what the page of that name shows and changes, for the person who is signed in."""

import calendar
from datetime import time
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.schema import errors
from aegisnotify.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from digests.selectors import Preferences, preferences_of
from digests.services.membership import change_preferences
from notifications.addresses.selectors import bounces_of
from projects.access import Right, can
from projects.api.views import WorkspaceView
from projects.errors import Forbidden
from projects.models import Membership
from projects.models.users import validate_time_zone
from projects.scopes import Scope

WEEKDAYS = [name.lower() for name in calendar.day_name]


class WeekdayField(serializers.ChoiceField):
    """A day's English name; a number (0 is Monday) inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=WEEKDAYS, **kwargs)

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]
        return WEEKDAYS.index(super().to_internal_value(data))


class ClockField(StrictCharField):
    """HH:MM."""

    def to_internal_value(self, data: Any) -> time:  # type: ignore[override]
        text = super().to_internal_value(data)
        try:
            at = time.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or f"{at:%H:%M}" != text:
            raise serializers.ValidationError("Give a time from 00:00 to 23:59, such as 07:30.")
        return at


class WeeklyWriteSerializer(StrictSerializer):
    enabled = StrictBooleanField(required=False)
    weekday = WeekdayField(required=False)
    time = ClockField(required=False, source="at", help_text="HH:MM in `time_zone`.")
    time_zone = StrictCharField(
        required=False, validators=[validate_time_zone], help_text="An IANA name such as Europe/Berlin."
    )


class PreferencesWriteSerializer(StrictSerializer):
    weekly_digest = WeeklyWriteSerializer(required=False)
    reminders = StrictBooleanField(required=False)
    usage_warnings = StrictBooleanField(required=False, help_text="Owner and admins only.")
    workspace_unsubscribed = StrictBooleanField(required=False, help_text="Owner and admins only.")


class WeeklySerializer(serializers.Serializer):
    enabled = serializers.BooleanField()
    weekday = serializers.ChoiceField(choices=WEEKDAYS)
    time = serializers.CharField(help_text="HH:MM in `time_zone`.")
    time_zone = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True, help_text="When the next one goes out; null while it is off.")


class PreferencesSerializer(serializers.Serializer):
    email = serializers.EmailField()
    undeliverable = serializers.CharField(
        allow_null=True, help_text="bounced or complained where nothing but account mail goes to the address."
    )
    weekly_digest = WeeklySerializer()
    reminders = serializers.BooleanField(help_text="After 7 and 30 quiet days; holds for all of one's workspaces.")
    usage_warnings = serializers.BooleanField(
        allow_null=True, help_text="At 80 % and 100 %; null for those who get none: members and viewers."
    )
    workspace_unsubscribed = serializers.BooleanField(
        help_text="Nobody gets reminders and weekly digests because of this workspace, whatever they chose."
    )


class EmailPreferencesView(WorkspaceView):
    """Every member has preferences of their own, so changing them asks for no more than reading."""

    scopes = {"GET": Scope.SETTINGS_READ, "PATCH": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="email_preferences_read",
        summary="Read one's email preferences",
        description="Only for people who are signed in: a token has no mailbox.",
        responses={200: PreferencesSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response(_shown(self._membership()))

    @extend_schema(
        operation_id="email_preferences_change",
        summary="Change one's email preferences",
        description="What is not given keeps its value. All of it is saved, or nothing. Only for people who are "
        "signed in.",
        request=PreferencesWriteSerializer,
        responses={200: PreferencesSerializer, **errors(400, 413)},
    )
    def patch(self, request: Request) -> Response:
        membership = self._membership()
        given = PreferencesWriteSerializer.read(request.data)
        change_preferences(self.principal.actor, membership, weekly=given.pop("weekly_digest", None), **given)
        return Response(_shown(membership))

    def _membership(self) -> Membership:
        if self.principal.membership is None:
            raise Forbidden("Only a person who is signed in has email preferences, not a token.")
        return self.principal.membership


def _shown(membership: Membership) -> dict[str, Any]:
    user = membership.user
    chosen: Preferences = preferences_of(user, membership.workspace)
    bounce = bounces_of([user.email]).get(user.email)
    return {
        "email": user.email,
        "undeliverable": bounce.kind if bounce else None,
        "weekly_digest": {
            "enabled": chosen.weekly,
            "weekday": WEEKDAYS[chosen.weekly_weekday],
            "time": f"{chosen.weekly_at:%H:%M}",
            "time_zone": chosen.weekly_zone,
            "next_at": chosen.weekly_next_at,
        },
        "reminders": chosen.nudges,
        "usage_warnings": chosen.usage_warnings if can(membership.role, Right.MANAGE) else None,
        "workspace_unsubscribed": chosen.workspace_unsubscribed,
    }

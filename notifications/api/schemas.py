"""The shapes of the API: for the schema, and to check the types of what is written."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from aegisnotify.api.schema import ErrorBodySerializer
from aegisnotify.api.serializers import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from notifications import catalog
from notifications.channels import registry
from notifications.channels.webhook.rotation import DEFAULT_GRACE_HOURS, LONGEST_GRACE_HOURS
from notifications.insight.coverage import Code
from notifications.insight.whatif import DEFAULT_DAYS, LONGEST_DAYS
from notifications.models import Attempt, Channel, DeliveryStatus
from notifications.routing import GateName, Outcome, Reason, RecipientState
from notifications.selectors.health import ChannelHealth
from notifications.services.channels import LARGEST_POSITION

# Choices that several shapes have; the settings of the schema name them.
CHANNEL_KINDS = [kind.name for kind in registry.kinds()]
OCCURRENCE_KINDS = [kind.value for kind in catalog.OccurrenceKind]
EVENT_NAMES = list(catalog.names())
DELIVERY_STATUSES = list(DeliveryStatus.values)
DECISION_OUTCOMES = [outcome.value for outcome in Outcome]
ATTEMPT_OUTCOMES = list(Attempt.Outcome.values)
REASONS = [reason.value for reason in Reason]
HEALTHS = [ChannelHealth.HEALTHY.value, ChannelHealth.FAILING.value, ChannelHealth.SUSPENDED.value]

PROJECT_PARAMETER = OpenApiParameter("project", str, description="Slug or id of a project.")
EVENT_PARAMETER = OpenApiParameter("event", str, enum=EVENT_NAMES, description="Those of this event.")
DELIVERY_PARAMETERS = [
    OpenApiParameter("channel", str, description="Those of the channels with this key."),
    OpenApiParameter("status", str, enum=DELIVERY_STATUSES),
    OpenApiParameter("event_id", {"type": "string", "format": "uuid"}, description="Those of this one event."),
]


# --- Events


class GateSerializer(serializers.Serializer):
    gate = serializers.ChoiceField([gate.value for gate in GateName])
    event = serializers.ChoiceField(EVENT_NAMES, allow_null=True, help_text="The filter is asked once per fired event.")
    passed = serializers.BooleanField()
    reason = serializers.ChoiceField(REASONS, allow_null=True)


class RecipientSerializer(serializers.Serializer):
    email = serializers.EmailField()
    state = serializers.ChoiceField([state.value for state in RecipientState])


class DecisionSerializer(serializers.Serializer):
    """What was decided for one channel."""

    channel = serializers.CharField(help_text="The channel's key at that time.")
    channel_id = serializers.UUIDField()
    name = serializers.CharField(help_text="The channel's name at that time.")
    kind = serializers.ChoiceField(CHANNEL_KINDS)
    outcome = serializers.ChoiceField(DECISION_OUTCOMES)
    reason = serializers.ChoiceField(REASONS, help_text="The first gate that stopped, or why it is sent.")
    event = serializers.ChoiceField(
        EVENT_NAMES, allow_null=True, help_text="The most specific sent, else the most specific fired, else null."
    )
    recoverable = serializers.BooleanField(help_text="Held back only by a pause or a suspension.")
    gates = GateSerializer(many=True, help_text="All gates in their order, also behind one that stopped.")
    deliveries = serializers.ListField(child=serializers.UUIDField())
    recipients = RecipientSerializer(many=True, required=False, help_text="Email only: everybody, told or not.")


class RecordedSerializer(serializers.Serializer):
    """The answer to a report."""

    id = serializers.UUIDField()
    fired = serializers.ListField(child=serializers.ChoiceField(EVENT_NAMES), help_text="The most specific first.")
    decisions = DecisionSerializer(many=True)
    duplicate = serializers.BooleanField(help_text="It was reported before; nobody is told again.")


class BatchItemSerializer(serializers.Serializer):
    """What reporting the event alone would have answered: the fields of that answer, or `error`."""

    status = serializers.IntegerField(help_text="202, 200, 400, 404 or 413.")
    id = serializers.UUIDField(required=False)
    fired = serializers.ListField(child=serializers.ChoiceField(EVENT_NAMES), required=False)
    decisions = DecisionSerializer(many=True, required=False)
    duplicate = serializers.BooleanField(required=False)
    error = ErrorBodySerializer(required=False)


class BatchAnswerSerializer(serializers.Serializer):
    results = BatchItemSerializer(many=True, help_text="In the order of the events.")


class EventSerializer(serializers.Serializer):
    """Something that happened once, and what was decided when it was reported."""

    id = serializers.UUIDField()
    project = serializers.SlugField()
    kind = serializers.ChoiceField(OCCURRENCE_KINDS)
    source_id = serializers.CharField(help_text="The id of the run, crawl or generation.")
    fired = serializers.ListField(child=serializers.ChoiceField(EVENT_NAMES), help_text="The most specific first.")
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    decisions = DecisionSerializer(many=True, help_text="One per channel that the project had.")


# --- Deliveries


class AttemptSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True, help_text="null where there was no answer.")
    outcome = serializers.ChoiceField(ATTEMPT_OUTCOMES)
    error = serializers.CharField(allow_null=True, help_text="Our reading of the answer.")
    response = serializers.CharField(help_text="What the other side answered, at most 4 KB, without secrets.")


class DeliverySerializer(serializers.Serializer):
    """One message to one target."""

    id = serializers.UUIDField(help_text="Also the delivery id that webhooks are sent with.")
    event_id = serializers.UUIDField()
    project = serializers.SlugField()
    channel = serializers.CharField(help_text="The channel's key; of a deleted channel, the one it had.")
    kind = serializers.ChoiceField(CHANNEL_KINDS)
    recipient = serializers.CharField(allow_null=True, help_text="Email only.")
    event = serializers.ChoiceField(EVENT_NAMES)
    status = serializers.ChoiceField(DELIVERY_STATUSES)
    status_reason = serializers.CharField(allow_null=True, help_text="Why it was cancelled or given up.")
    attempt_count = serializers.IntegerField(help_text="Begun tries.")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptSerializer(many=True, help_text="In their order.")


# --- Channels


class ChannelSerializer(serializers.Serializer):
    """A channel as it is read."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    kind = serializers.ChoiceField(CHANNEL_KINDS)
    name = serializers.CharField()
    enabled = serializers.BooleanField()
    position = serializers.IntegerField()
    target = serializers.CharField(help_text="Masked: host and last four characters. Empty for email.")
    recipients = RecipientSerializer(
        many=True, help_text="Whom an email channel writes to: its own, else the workspace's owner."
    )
    mode = serializers.ChoiceField(list(Channel.Mode.values))
    digest_time = serializers.CharField(allow_null=True, help_text="HH:MM in the workspace's time zone.")
    health = serializers.ChoiceField(HEALTHS, help_text="failing: not a single success since the last failure.")
    suspended_reason = serializers.CharField(allow_null=True)
    paused_until = serializers.DateTimeField(allow_null=True)
    over_plan_limit = serializers.BooleanField(help_text="Kept, but not told of anything until the plan has room.")
    overrides = serializers.DictField(
        child=serializers.BooleanField(), help_text="Event to on or off; events that are not named inherit."
    )
    secret_activates_at = serializers.DateTimeField(
        allow_null=True, help_text="When a staged secret becomes the only one; null while none is staged."
    )
    last_delivered_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    last_error_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class SavedChannelSerializer(ChannelSerializer):
    """A channel as the request that wrote it sees it."""

    secret = serializers.CharField(required=False, help_text="Only here, and only if it was generated just now.")
    warnings = serializers.ListField(child=serializers.CharField())


class ChannelWriteSerializer(StrictSerializer):
    """A channel as it is written. Which of the settings there are depends on the kind."""

    kind = StrictCharField(help_text=f"One of {', '.join(CHANNEL_KINDS)}. It can't be changed.")
    name = StrictCharField(max_length=80)
    key = StrictCharField(
        max_length=60, required=False, help_text="Unique in the project. Made from the kind if left out."
    )
    enabled = StrictBooleanField(required=False, help_text="true for a new channel if left out.")
    position = StrictIntegerField(
        min_value=0, max_value=LARGEST_POSITION, required=False, help_text="At the end for a new channel if left out."
    )
    url = StrictCharField(required=False, help_text="Slack, Discord, Teams, webhook. Never shown again.")
    secret = StrictCharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Webhook: 16 to 256 characters. Generated for a new channel if left out. Never shown again.",
    )
    recipients = serializers.ListField(
        child=StrictCharField(), required=False, help_text="Email: at most 20 addresses; none is the workspace's owner."
    )
    mode = StrictCharField(required=False, help_text=f"Email: {' or '.join(Channel.Mode.values)}.")
    digest_time = StrictCharField(
        required=False,
        allow_null=True,
        help_text="Email, daily digest: HH:MM in the workspace's time zone. 08:00 if left out.",
    )


class TestSerializer(StrictSerializer):
    __test__ = False

    event = StrictCharField(help_text=f"One of {', '.join(EVENT_NAMES)}.")


class TestAnswerSerializer(serializers.Serializer):
    """What the other side answered to a sample."""

    __test__ = False

    ok = serializers.BooleanField()
    status_code = serializers.IntegerField(allow_null=True, help_text="null where there was no answer.")
    response = serializers.CharField(help_text="Without secrets.")
    reading = serializers.CharField(help_text="What it means, and what to do about it.")
    duration_ms = serializers.IntegerField()


class HoursField(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, int | float) or isinstance(data, bool):
            raise serializers.ValidationError("A number is expected.")
        return super().to_internal_value(data)


class RotateSerializer(StrictSerializer):
    secret = StrictCharField(
        required=False,
        allow_null=True,
        trim_whitespace=False,
        help_text="16 to 256 characters. Generated if left out.",
    )
    grace_hours = HoursField(
        min_value=0,
        max_value=LONGEST_GRACE_HOURS,
        required=False,
        help_text=f"After so many hours the new secret is the only one; default {DEFAULT_GRACE_HOURS}.",
    )


class StagedSerializer(serializers.Serializer):
    secret = serializers.CharField(required=False, help_text="Only here, and only if it was generated just now.")
    activates_at = serializers.DateTimeField()


# --- Filters

_FLAGS = "Which events are sent where no channel's filter says otherwise."
_FILTERS = "Channel key → event → on or off; only what differs from the flags."


def _flags(name: str, *, required: bool) -> type[serializers.Serializer]:
    fields = {event: serializers.BooleanField(required=required) for event in EVENT_NAMES}
    return type(name, (serializers.Serializer,), fields)


EventFlagsSerializer = _flags("EventFlagsSerializer", required=True)
EventFlagChangesSerializer = _flags("EventFlagChangesSerializer", required=False)


class WorkspaceFiltersSerializer(serializers.Serializer):
    """The global flags of a workspace."""

    events = EventFlagsSerializer(help_text=_FLAGS)


class WorkspaceFiltersPatchSerializer(serializers.Serializer):
    events = EventFlagChangesSerializer(required=False, help_text=_FLAGS)


class ProjectFiltersSerializer(serializers.Serializer):
    """The flags that hold for a project, and its channels' filters."""

    events = EventFlagsSerializer(help_text=_FLAGS)
    inherits_workspace_flags = serializers.BooleanField()
    channel_filters = serializers.DictField(
        child=serializers.DictField(child=serializers.BooleanField()), help_text=_FILTERS
    )


class ProjectFiltersPatchSerializer(serializers.Serializer):
    events = EventFlagChangesSerializer(required=False, help_text=_FLAGS)
    inherits_workspace_flags = serializers.BooleanField(required=False)
    channel_filters = serializers.DictField(
        child=serializers.DictField(child=serializers.BooleanField(allow_null=True)), required=False, help_text=_FILTERS
    )


# --- What-if


class WhatIfSerializer(serializers.Serializer):
    """What to try. What is not named stays as it is."""

    events = EventFlagChangesSerializer(required=False, help_text=_FLAGS)
    channel_filters = serializers.DictField(
        child=serializers.DictField(child=serializers.BooleanField(allow_null=True)),
        required=False,
        help_text=f"{_FILTERS} null removes one.",
    )
    days = serializers.IntegerField(
        min_value=1, max_value=LONGEST_DAYS, required=False, help_text=f"How far back; {DEFAULT_DAYS} if left out."
    )


class WhatIfChannelSerializer(serializers.Serializer):
    channel = serializers.CharField(help_text="The channel's key.")
    now = serializers.IntegerField(help_text="Deliveries with the settings as they are.")
    proposed = serializers.IntegerField(help_text="Deliveries with the settings to try.")


class WhatIfAnswerSerializer(serializers.Serializer):
    """Deliveries: one for each event of a webhook, one for each recipient of a mail, one for each other message."""

    occurrences = serializers.IntegerField(help_text="How many events were replayed.")
    channels = WhatIfChannelSerializer(many=True, help_text="All channels of the project, in their order.")
    failures_no_longer_heard = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Failed runs that some channel hears of now and none would: newest 100.",
    )
    failures_no_longer_heard_count = serializers.IntegerField()


# --- Coverage


class FixSerializer(serializers.Serializer):
    """A request to this API, and what it does in words."""

    summary = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField()
    body = serializers.DictField()


class CoverageWarningSerializer(serializers.Serializer):
    code = serializers.ChoiceField([code.value for code in Code])
    message = serializers.CharField()
    grave = serializers.BooleanField(help_text="Whether a failure can go unheard.")
    projects = serializers.ListField(child=serializers.CharField(), help_text="Slugs of what it is about.")
    channels = serializers.ListField(child=serializers.CharField(), help_text="Keys of what it is about.")
    fix = FixSerializer(allow_null=True)


class CoverageSerializer(serializers.Serializer):
    warnings = CoverageWarningSerializer(many=True, help_text="The worst first.")

"""Channels: renamed, ordered, switched and deleted. Their target is shown masked; changing it is up to their owners."""

from django.contrib import admin
from django.http import HttpRequest

from aegisnotify.admin import ReadOnlyAdmin, ReadOnlyInline, ServiceAdmin, ServiceForm
from notifications.admin.choices import KindFilter
from notifications.channels import registry
from notifications.models import Channel, ChannelRecipient, TargetPace
from notifications.services.channels import delete_channel, update_channel
from projects.admin.acting import actor_of


class ChannelForm(ServiceForm):
    class Meta:
        model = Channel
        fields = ("name", "enabled", "position")

    def save_through_service(self) -> Channel:
        return update_channel(actor_of(self.request), self.instance, **self.changed()).channel


class RecipientInline(ReadOnlyInline):
    model = ChannelRecipient
    fields = ("email",)
    readonly_fields = fields


_ABOUT = ("id", "project", "kind", "key", "target", "mode", "digest_time", "created_by", "created_at", "changed_at")
_HEALTH = (
    "last_success_at",
    "last_error_at",
    "last_error",
    "failures_in_a_row",
    "first_failure_at",
    "failing_since",
    "warned_stage",
)
_PAUSE = ("paused_until", "paused_by", "suspended_at", "suspended_reason", "secret_activates_at")
_PACE = ("breaker_open_until", "breaker_window_at", "breaker_tries", "breaker_failures", "not_before")


@admin.register(Channel)
class ChannelAdmin(ServiceAdmin):
    form = ChannelForm
    fieldsets = (
        (None, {"fields": ("name", "enabled", "position")}),
        ("About", {"fields": _ABOUT}),
        ("Health", {"fields": _HEALTH}),
        ("Paused and suspended", {"fields": _PAUSE}),
        ("Breaker and pace", {"fields": _PACE}),
    )
    readonly_fields = (*_ABOUT, *_HEALTH, *_PAUSE, *_PACE)
    inlines = (RecipientInline,)
    list_display = (
        "name",
        "key",
        "kind",
        "project",
        "enabled",
        "target_host",
        "last_success_at",
        "failures_in_a_row",
        "paused_until",
        "suspended_at",
    )
    list_select_related = ("project",)
    list_filter = (KindFilter, "enabled", ("suspended_at", admin.EmptyFieldListFilter))
    defer_in_list = ("config",)
    search_fields = ("key", "project__slug", "target_host", "recipients__email__exact")
    search_by_id = ("id", "project_id")
    search_help_text = "The id of a channel or project, or a key, a project's slug, a host, a recipient's whole address"

    @admin.display(description="target")
    def target(self, channel: Channel) -> str:
        """Masked: the host and the last four characters."""
        kind = registry.find(channel.kind)
        return (kind.target(channel.config) if kind else "") or "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A channel is made with its owner's URL and secret, which staff need not know.
        return False

    def delete_through_service(self, request: HttpRequest, obj: Channel) -> None:
        delete_channel(actor_of(request), obj)


@admin.register(ChannelRecipient)
class ChannelRecipientAdmin(ReadOnlyAdmin):
    fields = ("email", "position", "channel_name")
    list_display = ("email", "channel_name")
    list_select_related = ("channel__project",)
    defer_in_list = ("channel__config",)
    search_fields = ("email__exact",)
    search_help_text = "A whole address"
    search_by_id = ("channel_id",)

    @admin.display(description="channel")
    def channel_name(self, recipient: ChannelRecipient) -> str:
        return f"{recipient.channel} in {recipient.channel.project}"


@admin.register(TargetPace)
class TargetPaceAdmin(ReadOnlyAdmin):
    list_display = ("fingerprint", "next_at")
    search_fields = ("fingerprint__exact",)

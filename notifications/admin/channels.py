"""Channels: renamed, ordered, switched and deleted. Their target is shown masked; changing it is up to their owners."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegisnotify.admin import (
    Confirmation,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ServiceAdmin,
    ServiceForm,
    ask,
    is_confirmed,
    list_link,
    page_link,
)
from aegisnotify.clock import now
from notifications.admin.choices import KindFilter
from notifications.channels import registry
from notifications.models import Channel, ChannelRecipient, Delivery, TargetPace
from notifications.selectors.channels import is_paused
from notifications.selectors.health import ChannelHealth, health_of
from notifications.services.channels import delete_channel, update_channel
from notifications.services.pausing import resume_channel, suspend_channel
from projects.admin.acting import actor_of


class ChannelForm(ServiceForm):
    class Meta:
        model = Channel
        fields = ("name", "enabled", "position")

    def save_through_service(self) -> Channel:
        return update_channel(actor_of(self.request), self.instance, **self.changed()).channel


class HealthFilter(admin.SimpleListFilter):
    """The states in the order in which they count, as `health_of` says them."""

    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        shown = (health for health in ChannelHealth if health is not ChannelHealth.OVER_PLAN_LIMIT)
        return [(health.value, health.value) for health in shown]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        off, suspended = Q(enabled=False), Q(suspended_at__isnull=False)
        paused, failing = Q(paused_until__gt=now()), Q(failures_in_a_row__gt=0)
        running = ~off & ~suspended & (Q(paused_until=None) | Q(paused_until__lte=now()))
        states = {
            ChannelHealth.OFF.value: off,
            ChannelHealth.SUSPENDED.value: ~off & suspended,
            ChannelHealth.PAUSED.value: ~off & ~suspended & paused,
            ChannelHealth.FAILING.value: running & failing,
            ChannelHealth.HEALTHY.value: running & ~failing,
        }
        return queryset.filter(states.get(self.value() or "", Q()))


class RecipientInline(ReadOnlyInline):
    model = ChannelRecipient
    fields = ("email",)
    readonly_fields = fields


_ABOUT = (
    "id",
    "project",
    "kind",
    "key",
    "target",
    "mode",
    "digest_time",
    "created_by",
    "created_at",
    "changed_at",
    "of_deliveries",
)
_HEALTH = (
    "health",
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
    found_by_workspace = True
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
        "health",
        "key",
        "kind",
        "project",
        "target_host",
        "last_success_at",
        "failures_in_a_row",
        "paused_until",
        "suspended_at",
    )
    list_select_related = ("project",)
    select_in_page = ("project__workspace",)
    list_filter = (HealthFilter, KindFilter)
    defer_in_list = ("config",)
    search_fields = ("key", "project__slug", "project__workspace__slug", "target_host", "recipients__email__exact")
    search_by_id = ("id", "project_id")
    search_help_text = (
        "The id of a channel or project, a key, the slug of a project or workspace, a host, a recipient's address"
    )

    actions = ("suspend", "resume")

    def view_on_site(self, channel: Channel) -> str:
        project = channel.project
        return page_link("channel", project.slug, channel.pk, workspace=project.workspace.slug)

    @admin.display(description="health")
    def health(self, channel: Channel) -> SafeString:
        """As its row says. Whether the plan carries it depends on the channels beside it, and stands on their page."""
        health = health_of(channel, over=False, moment=now())
        return format_html('<span class="health health-{}">{}</span>', health.value, health.value)

    @admin.display(description="deliveries")
    def of_deliveries(self, channel: Channel) -> SafeString:
        return list_link(Delivery, "Its deliveries", q=channel.pk)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_channel")

    @admin.action(description="Suspend the selected channels", permissions=["operate"])
    def suspend(self, request: HttpRequest, channels: QuerySet[Channel]) -> HttpResponse | None:
        rows = list(channels.select_related("project__workspace"))
        working = [channel for channel in rows if channel.suspended_at is None]
        if not is_confirmed(request):
            counts = [(len(working), "to be suspended"), (len(rows) - len(working), "suspended already")]
            notes = (
                "What is on its way is cancelled and can be recovered. Owner and admins are told by mail, with the "
                "reason. A good test or somebody who resumes the channel lifts it.",
            )
            title = f"Suspend {len(working)} channels?" if len(working) != 1 else "Suspend 1 channel?"
            question = Confirmation(title, counts, title[:-1], notes, field="Why, in a sentence for the customer")
            return ask(self, request, [channel.pk for channel in rows], question)
        reason = request.POST.get("text", "").strip()
        if not reason:
            self.message_user(request, "Say why. Nothing was suspended.", messages.ERROR)
            return None
        actor = actor_of(request)
        for channel in working:
            suspend_channel(actor, channel, reason)
        self.message_user(request, f"Suspended: {len(working)}.", messages.SUCCESS)
        return None

    @admin.action(description="Resume the selected channels", permissions=["operate"])
    def resume(self, request: HttpRequest, channels: QuerySet[Channel]) -> None:
        moment, actor, resumed = now(), actor_of(request), 0
        for channel in channels:
            if channel.suspended_at is not None or is_paused(channel, moment):
                resume_channel(actor, channel)
                resumed += 1
        self.message_user(request, f"Resumed: {resumed}. What was held back can be recovered on their pages.")

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

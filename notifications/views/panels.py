"""What a channel asks about before it happens: pausing, recovering, deleting, and a webhook's secret.

Each is a page of its own, and with htmx the content of a dialog over the channels.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from notifications import pauses
from notifications.channels import registry
from notifications.forms import PasswordOnlyForm, RotateForm
from notifications.models import Channel
from notifications.models.deliveries import UNDELIVERED, UNFINISHED, status_among
from notifications.selectors import recovery
from notifications.services.channels import activate_secret, delete_channel, rotate_secret
from notifications.services.pausing import LONGEST_PAUSE, pause_channel
from notifications.services.recovery import start_recovery
from notifications.services.secrets import in_both_forms, reveal_secret
from notifications.views.channels import board_context, changed
from notifications.views.project_parts import channel_of, frame, is_htmx, project_of, refusal_context
from projects.access import Right
from projects.errors import Conflict, Invalid, ServiceError
from projects.models import Project
from projects.pages import WorkspaceRequest, actor_of, workspace_page

_METHODS = ["GET", "HEAD", "POST"]
_PRESETS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@require_http_methods(_METHODS)
@workspace_page(Right.OPERATE)
def channel_pause(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Pause until a moment."""
    project, channel = _found(request, slug, channel_id)
    zone, moment = request.workspace.zone, now()
    today = moment.astimezone(zone).date()
    context: dict[str, Any] = {
        "heading": f"Pause {channel.name}",
        "choice": request.POST.get("until", pauses.HOUR),
        "day": request.POST.get("day", ""),
        "tomorrow": pauses.until(pauses.TOMORROW, "", moment, zone),
        "first_day": (today + timedelta(days=1)).isoformat(),
        "last_day": (today + LONGEST_PAUSE - timedelta(days=1)).isoformat(),
    }
    if request.method == "POST":
        try:
            until = _pause_until(request, moment)
            pause_channel(actor_of(request), channel, until)
        except ServiceError as refusal:
            return _panel(request, project, channel, "pause", context, refusal)
        shown = timezone.localtime(until, zone)
        return changed(
            request,
            project,
            f"{channel.name} is paused until {shown.day} {shown:%b, %H:%M} ({zone.key}).",
            channel=channel,
            undo=f"resume-{channel.pk}",
            close=True,
        )
    return _panel(request, project, channel, "pause", context)


@require_http_methods(_METHODS)
@workspace_page(Right.OPERATE)
def channel_recover(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Send what the channel missed since a moment."""
    project, channel = _found(request, slug, channel_id)
    moment = now()
    offer = recovery.offers(project, [channel], moment).get(channel.pk)
    context: dict[str, Any] = {
        "heading": f"Recover what {channel.name} missed",
        "offer": offer,
        "choice": request.POST.get("since", "offer" if offer else "day"),
        "at": request.POST.get("at", ""),
        "latest": timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M"),
    }
    if request.method == "POST":
        try:
            start_recovery(actor_of(request), channel, _recover_since(request, offer, moment))
        except ServiceError as refusal:
            return _panel(request, project, channel, "recover", context, refusal)
        return changed(request, project, f"Recovering what {channel.name} missed.", channel=channel, close=True)
    return _panel(request, project, channel, "recover", context)


@require_http_methods(_METHODS)
@workspace_page(Right.CONFIGURE)
def channel_delete(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Delete it, once its consequence was read."""
    project = project_of(request, slug)
    if request.method == "POST" and not Channel.objects.filter(pk=channel_id).exists():
        return changed(request, project, "It was deleted already.", close=True)
    channel = channel_of(project, channel_id)
    if request.method == "POST":
        neighbour = _neighbour(channel)
        delete_channel(actor_of(request), channel)
        return changed(request, project, f"{channel.name} is deleted.", channel=neighbour, close=True)
    context = {
        "heading": f"Delete {channel.name}?",
        "unfinished": channel.deliveries.filter(status_among(UNDELIVERED), status__in=UNFINISHED).count(),
        "overrides": channel.overrides.count(),
        "only": project.channels.filter(enabled=True).exclude(pk=channel.pk).count() == 0,
    }
    return _panel(request, project, channel, "delete", context)


@sensitive_post_parameters("secret")
@sensitive_variables("staged", "context")
@require_http_methods(_METHODS)
@workspace_page(Right.CONFIGURE)
def channel_rotate(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Stage another secret."""
    project, channel = _webhook(request, slug, channel_id)
    form = RotateForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"heading": f"Rotate the secret of {channel.name}", "form": form}
    if request.method != "POST":
        return _panel(request, project, channel, "rotate", context)
    if not form.is_valid():
        return _panel(request, project, channel, "rotate", context, status=400)
    try:
        staged = rotate_secret(
            actor_of(request),
            channel,
            secret=form.cleaned_data["secret"] or None,
            grace_hours=form.cleaned_data["grace_hours"],
        )
    except ServiceError as refusal:
        form.refuse(refusal)
        return _panel(request, project, channel, "rotate", context, status=status_of(refusal))
    context = {
        "heading": "The new secret is staged",
        "secret": in_both_forms(staged.secret) if staged.secret else None,
        "activates_at": staged.activates_at,
    }
    return _panel(request, project, channel, "staged", context, refresh=True)


@require_http_methods(_METHODS)
@workspace_page(Right.CONFIGURE)
def channel_activate(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Let only the staged secret sign from now on."""
    project, channel = _webhook(request, slug, channel_id)
    context = {"heading": f"Activate the new secret of {channel.name}?"}
    if request.method == "POST":
        try:
            activate_secret(actor_of(request), channel)
        except ServiceError as refusal:
            return _panel(request, project, channel, "activate", context, refusal)
        return changed(request, project, f"The new secret of {channel.name} is active.", channel=channel, close=True)
    return _panel(request, project, channel, "activate", context)


@sensitive_post_parameters("password")
@sensitive_variables("revealed", "context")
@require_http_methods(_METHODS)
@workspace_page(Right.CONFIGURE)
def channel_reveal(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Show the secret to somebody who gives their password. GET shows the question alone."""
    project, channel = _webhook(request, slug, channel_id)
    form = PasswordOnlyForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"heading": f"Show the secret of {channel.name}", "form": form}
    if request.method != "POST":
        return _panel(request, project, channel, "reveal", context)
    if not form.is_valid():
        return _panel(request, project, channel, "reveal", context, status=400)
    try:
        revealed = reveal_secret(actor_of(request), channel, form.cleaned_data["password"])
    except ServiceError as refusal:
        form.refuse(refusal)
        response = _panel(request, project, channel, "reveal", context, status=status_of(refusal))
        if wait := getattr(refusal, "retry_after", None):
            response["Retry-After"] = str(wait)
        return response
    context = {"heading": f"Secret of {channel.name}", "revealed": revealed}
    return _panel(request, project, channel, "revealed", context)


def _found(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> tuple[Project, Channel]:
    project = project_of(request, slug)
    return project, channel_of(project, channel_id)


def _neighbour(channel: Channel) -> Channel | None:
    """Whoever stands beside it: the list is shown around that one once the channel is gone."""
    others = list(Channel.objects.filter(project=channel.project_id).only("pk"))
    index = next((index for index, each in enumerate(others) if each.pk == channel.pk), 0)
    return others[index - 1] if index else None


def _webhook(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> tuple[Project, Channel]:
    project, channel = _found(request, slug, channel_id)
    if "secret" not in registry.get(channel.kind).settings:
        raise Http404
    return project, channel


def _panel(
    request: WorkspaceRequest,
    project: Project,
    channel: Channel,
    name: str,
    context: dict[str, Any],
    refusal: ServiceError | None = None,
    *,
    status: int = 200,
    refresh: bool = False,
) -> HttpResponse:
    """The panel: alone for htmx, in a page otherwise. `refresh` lets htmx redraw the channels behind it, too."""
    context = {
        **frame(request, project, "config", "panel"),
        **context,
        "title": context["heading"],
        "channel": channel,
        "panel": f"panels/{name}.html",
        "refusal": refusal_context(refusal) if refusal else None,
    }
    if refusal is not None:
        status = status_of(refusal)
    if not is_htmx(request):
        return render(request, "pages/panel.html", context, status=status)
    if refresh:
        context |= board_context(request, project, channel) | {"refresh": True}
    return render(request, "partials/panel.html", context, status=status)


def _pause_until(request: WorkspaceRequest, moment: datetime) -> datetime:
    try:
        return pauses.until(request.POST.get("until", ""), request.POST.get("day", ""), moment, request.workspace.zone)
    except pauses.BadChoice as bad:
        raise Invalid({"until": [str(bad)]}) from bad


def _recover_since(request: WorkspaceRequest, offer: recovery.Offer | None, moment: datetime) -> datetime:
    choice = request.POST.get("since", "")
    if choice == "offer":
        if offer is None:
            raise Conflict("This was recovered meanwhile, or is too long ago. Choose another time.")
        return offer.since
    if choice in _PRESETS:
        return moment - _PRESETS[choice]
    try:
        at = datetime.fromisoformat(request.POST.get("at", ""))
    except ValueError:
        raise Invalid({"since": ["Enter the day and time from which on to recover."]}) from None
    return at if at.tzinfo else at.replace(tzinfo=request.user.zone)

"""Adding a channel, and changing its settings."""

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from aegisnotify.pages.once import AGAIN, SentAgain, once
from notifications import catalog
from notifications.addresses.selectors import bounces_of
from notifications.channels import registry
from notifications.channels.base import ChannelKind
from notifications.channels.email.config import DEFAULT_TIME
from notifications.forms import ChannelForm
from notifications.models import Channel
from notifications.selectors.cards import Choice, board, choices
from notifications.selectors.routing import flags_of
from notifications.selectors.versions import version_of
from notifications.services.channels import Saved, create_channel, update_channel
from notifications.services.filters import change_project_filters
from notifications.services.secrets import in_both_forms
from notifications.views.channels import card_of
from notifications.views.project_parts import channel_of, frame, project_of, refusal_context
from projects.access import Right
from projects.errors import ServiceError, Stale
from projects.models import Project
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page


@sensitive_post_parameters("secret", "url")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page(Right.CONFIGURE)
def channel_new(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """First the kind (`?kind=`), then its settings by the provider's steps, then a test."""
    project = project_of(request, slug)
    shown = board(project, now())
    offered = choices(shown.limits, shown.used)
    name = request.GET.get("kind", "")
    chosen = next((choice for choice in offered if choice.kind.name == name), None)
    if name and chosen is None:
        raise Http404
    flags, zone = flags_of(project), request.workspace.time_zone
    context = {
        **frame(request, project, "config", "new"),
        "title": "Add a channel",
        "choices": offered,
        "chosen": chosen,
        "filters_in_plan": shown.limits.per_channel_filters,
        "events": catalog.events(),
        "flags_on": flags,
    }
    if chosen is None:
        return render(request, "pages/channel_new.html", context)
    if request.method != "POST":
        form = ChannelForm(kind=chosen.kind, zone=zone, initial=_suggested(chosen, flags))
        return render(request, "pages/channel_new.html", {**context, "form": form})
    form = ChannelForm(request.POST, kind=chosen.kind, zone=zone)
    status, refusal = 400, None
    if form.is_valid():
        try:
            with once(request):
                saved = _create(request, project, chosen.kind, form, flags, filters=shown.limits.per_channel_filters)
        except SentAgain:
            messages.info(request, AGAIN)
            return to_page(request, "project_integrations", project.slug)
        except ServiceError as error:
            status, refusal = status_of(error), refusal_context(error)
            if not refusal["plan_limit"]:
                form.refuse(error)
                refusal = None
        else:
            return _created(request, project, saved)
    return render(request, "pages/channel_new.html", {**context, "form": form, "refusal": refusal}, status=status)


@sensitive_post_parameters("url")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page(Right.CONFIGURE)
def channel(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """A channel's settings."""
    project = project_of(request, slug)
    found = channel_of(project, channel_id)
    kind, zone = registry.get(found.kind), request.workspace.time_zone
    status = 200
    if request.method == "POST":
        form = ChannelForm(request.POST, kind=kind, zone=zone, channel=found)
        status = 400
        if form.is_valid():
            try:
                saved = update_channel(
                    actor_of(request), found, if_match=request.POST.get("version"), **form.submitted()
                )
            except Stale as error:
                found = channel_of(project, channel_id)
                form.overtaken(found.name, _shown(found, kind))
                status = status_of(error)
            except ServiceError as error:
                form.refuse(error)
                status = status_of(error)
            else:
                messages.success(request, f"{saved.channel.name} is saved.{_last_digest(found, saved.channel)}")
                _warn(request, saved)
                return to_page(request, "channel", project.slug, found.pk)
    else:
        form = ChannelForm(kind=kind, zone=zone, channel=found, initial=_stored(found))
    card = card_of(project, found)
    bounces = bounces_of(each.email for each in card.recipients)
    return render(
        request,
        "pages/channel.html",
        {
            **frame(request, project, "config", "channel"),
            "title": found.name if status == 200 else card.channel.name,
            "card": card,
            "form": form,
            "version": version_of(found),
            "written_to": [(each, bounces.get(each.email)) for each in card.recipients],
            "stored_recipients": {each.email for each in found.recipients.all()},
        },
        status=status,
    )


def _stored(channel: Channel) -> dict[str, str]:
    return {
        "name": channel.name,
        "key": channel.key,
        "recipients": "\n".join(each.email for each in channel.recipients.order_by("position", "pk")),
        "mode": channel.mode,
        "digest_time": f"{channel.digest_time or DEFAULT_TIME:%H:%M}",
    }


def _shown(channel: Channel, kind: ChannelKind) -> dict[str, str]:
    """What is stored, in a line each; the URL masked."""
    stored = _stored(channel)
    return {**stored, "recipients": ", ".join(stored["recipients"].split()), "url": kind.target(channel.config)}


def _last_digest(before: Channel, after: Channel) -> str:
    if before.mode == after.mode or after.mode != Channel.Mode.IMMEDIATE:
        return ""
    return " What it held goes out as one last digest."


def _suggested(choice: Choice, flags: dict[str, bool]) -> dict[str, Any]:
    return {
        "name": choice.kind.label,
        "enabled": choice.exceeded is None,
        "digest_time": f"{DEFAULT_TIME:%H:%M}",
        "events": [event for event, on in flags.items() if on],
    }


@transaction.atomic
def _create(
    request: WorkspaceRequest,
    project: Project,
    kind: ChannelKind,
    form: ChannelForm,
    flags: dict[str, bool],
    *,
    filters: bool,
) -> Saved:
    """The channel, and an override for each event that was chosen otherwise than its flag."""
    actor = actor_of(request)
    saved = create_channel(actor, project, kind=kind.name, **form.submitted())
    chosen = set(form.cleaned_data["events"])
    overrides = {event: event in chosen for event, on in flags.items() if (event in chosen) != on}
    if filters and overrides:
        change_project_filters(actor, project, {"channel_filters": {saved.channel.key: overrides}})
    return saved


def _created(request: WorkspaceRequest, project: Project, saved: Saved) -> HttpResponse:
    channel = saved.channel
    if saved.new_secret is None:
        messages.success(request, f"{channel.name} is added. Send a test to see whether it arrives.")
        _warn(request, saved)
        response = to_page(request, "project_integrations", project.slug)
        page = board(project, now(), around=channel.pk).page
        response["Location"] += f"{f'&page={page}' if page > 1 else ''}#channel-{channel.pk}"
        return response
    # Shown in the answer to the form itself: a secret has no place in the session, where a redirect would find it.
    return render(
        request,
        "pages/channel_created.html",
        {
            **frame(request, project, "config", "new"),
            "title": f"{channel.name} is added",
            "channel": channel,
            "secret": in_both_forms(saved.new_secret),
            "warnings": saved.warnings,
            "events": catalog.events(),
        },
        status=201,
    )


def _warn(request: WorkspaceRequest, saved: Saved) -> None:
    for warning in saved.warnings:
        messages.warning(request, warning)

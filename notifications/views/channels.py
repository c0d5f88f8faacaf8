"""The channels of a project: their cards, and what a card changes at once."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST, require_safe

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from notifications import catalog
from notifications.addresses.services import request_confirmations
from notifications.models import Channel
from notifications.selectors.cards import Card, board
from notifications.services.channels import update_channel
from notifications.services.ordering import move_channel
from notifications.services.pausing import resume_channel
from notifications.services.testing import send_test
from notifications.views.previews import preview_context
from notifications.views.project_parts import (
    channel_of,
    frame,
    is_htmx,
    project_of,
    refusal_context,
    tell,
)
from projects.access import Right
from projects.errors import ServiceError
from projects.models import Project
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page

LIST = "partials/channels.html"
# htmx asks no more after an answer with this status.
STOP_POLLING = 286


@require_safe
@workspace_page()
def project_integrations(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Config → Integrations → Notifications."""
    return page(request, project_of(request, slug))


@require_POST
@workspace_page(Right.CONFIGURE)
def channel_toggle(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Switch a channel on or off. The wanted state is named, so a second click changes nothing."""
    project = project_of(request, slug)
    channel = channel_of(project, channel_id)
    enabled = request.POST.get("enabled") == "true"
    try:
        update_channel(actor_of(request), channel, enabled=enabled)
    except ServiceError as refusal:
        return _refused(request, project, channel, refusal)
    return changed(request, project, f"{channel.name} is {'on' if enabled else 'off'}.", undo=f"switch-{channel.pk}")


@require_POST
@workspace_page(Right.CONFIGURE)
def channel_move(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """One place up or down."""
    project = project_of(request, slug)
    channel = channel_of(project, channel_id)
    up = request.POST.get("direction") == "up"
    moved = move_channel(actor_of(request), channel, -1 if up else 1)
    end = "first" if up else "last"
    words = f"moved {'up' if up else 'down'}" if moved else f"is the {end} already"
    return changed(request, project, f"{channel.name} {words}.", channel=channel)


@require_POST
@workspace_page(Right.OPERATE)
def channel_resume(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """End a pause or a suspension. The card then offers to recover what was held back."""
    project = project_of(request, slug)
    channel = channel_of(project, channel_id)
    resume_channel(actor_of(request), channel)
    return changed(request, project, f"{channel.name} sends again.", channel=channel)


@require_POST
@workspace_page(Right.OPERATE)
def channel_test(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Send a sample and show the answer in place."""
    project = project_of(request, slug)
    channel = channel_of(project, channel_id)
    event = request.POST.get("event", "")
    context: dict[str, Any] = {"event": event}
    status = 200
    try:
        context["result"] = send_test(actor_of(request), channel, event)
    except ServiceError as refusal:
        context["refusal"] = refusal_context(refusal)
        status = status_of(refusal)
    if not is_htmx(request):
        return page(request, project, status, {channel.pk: {"test": context}}, channel)
    # A good test lifts a suspension and any test writes to the record, so the card's head is new too.
    card = card_of(project, channel)
    shown = {**frame(request, project), "card": card, "path": path_of(project, channel), "test": context}
    return render(request, "partials/test_answer.html", shown, status=status)


@require_POST
@workspace_page(Right.CONFIGURE)
def channel_confirm(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """Ask a recipient once more to confirm the address."""
    project = project_of(request, slug)
    channel = channel_of(project, channel_id)
    email = request.POST.get("email", "")
    if channel.recipients.filter(email=email).exists():
        if request_confirmations(actor_of(request), request.workspace, [email]):
            messages.success(request, f"A mail to confirm the address went to {email}.")
        else:
            messages.warning(request, f"{email} was asked a moment ago, or often enough today. Nothing was sent.")
    return to_page(request, "channel", project.slug, channel.pk)


@require_safe
@workspace_page()
def channel_recovery(request: WorkspaceRequest, slug: str, channel_id: uuid.UUID) -> HttpResponse:
    """How far recovering is, for the card that polls it."""
    project = project_of(request, slug)
    if not Channel.objects.filter(pk=channel_id).exists():
        return HttpResponse(status=STOP_POLLING)
    channel = channel_of(project, channel_id)
    job = channel.recovery_jobs.order_by("-created_at", "-pk").first()
    shown = {**frame(request, project), "channel": channel, "path": path_of(project, channel), "job": job}
    return render(request, "partials/recovery.html", shown)


def page(
    request: WorkspaceRequest,
    project: Project,
    status: int = 200,
    notes: dict[Any, dict[str, Any]] | None = None,
    around: Channel | None = None,
) -> HttpResponse:
    """The whole page. `notes` holds what stands on single cards: a test's answer, a refusal."""
    return render(
        request,
        "pages/project_integrations.html",
        {
            **frame(request, project, "config", "integrations"),
            **board_context(request, project, around, notes),
            **preview_context(request, project, request.GET.get("event", "")),
            "title": "Channels",
        },
        status=status,
    )


def card_of(project: Project, channel: Channel) -> Card:
    found = next((card for card in board(project, now(), around=channel.pk).cards if card.channel == channel), None)
    if found is None:
        # Deleted since it was looked up.
        raise Http404
    return found


def path_of(project: Project, channel: Channel) -> str:
    """What the addresses of everything that is done to a channel begin with."""
    return reverse("channel", args=[project.slug, channel.pk])


def board_context(
    request: WorkspaceRequest,
    project: Project,
    around: Channel | None = None,
    notes: dict[Any, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    number = request.GET.get("page", "1")
    shown = board(
        project,
        now(),
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
        around=around.pk if around else None,
    )
    notes = notes or {}
    return {
        "board": shown,
        "cards": [
            {"card": card, "path": path_of(project, card.channel), **notes.get(card.channel.pk, {})}
            for card in shown.cards
        ],
        "events": catalog.events(),
        # Drawn once, not once per card.
        "event_options": format_html_join(
            "",
            '<option value="{}">{} ({})</option>',
            ((event.name, event.label, event.name) for event in catalog.events()),
        ),
    }


def changed(
    request: WorkspaceRequest,
    project: Project,
    sentence: str,
    *,
    channel: Channel | None = None,
    undo: str = "",
    close: bool = False,
) -> HttpResponse:
    """The channels as they are now, around `channel`: for htmx the list and a toast, else the page, with the sentence
    on top."""
    context = board_context(request, project, channel)
    if not is_htmx(request):
        messages.success(request, sentence)
        response = to_page(request, "project_integrations", project.slug)
        if context["board"].page > 1:
            response["Location"] += f"&page={context['board'].page}"
        return response
    response = render(request, LIST, {**frame(request, project), **context})
    if close:
        response["HX-Retarget"], response["HX-Reswap"] = "#channels", "outerHTML"
    return tell(response, sentence, undo=undo, close=close)


def _refused(request: WorkspaceRequest, project: Project, channel: Channel, refusal: ServiceError) -> HttpResponse:
    notes = {channel.pk: {"refusal": refusal_context(refusal)}}
    if not is_htmx(request):
        return page(request, project, status_of(refusal), notes, channel)
    context = {**frame(request, project), **board_context(request, project, channel, notes)}
    return render(request, LIST, context, status=status_of(refusal))

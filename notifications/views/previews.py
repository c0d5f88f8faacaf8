"""What each kind of channel will show of each event: the renderings that are sent, with sample data."""

import json
import re
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from notifications import catalog, messages, samples
from notifications.catalog import Event
from notifications.channels import registry
from notifications.channels.base import ChannelKind, Context
from notifications.channels.webhook import body as webhook_body
from notifications.channels.webhook import signature
from notifications.intake.decisions import project_json
from notifications.sandbox.drawing import Drawing, draw
from notifications.views.project_parts import frame, is_htmx, project_of
from projects.entitlements import Category
from projects.models import Project
from projects.pages import WorkspaceRequest, workspace_page

# Instead of the page's policy: a mail brings its own style and nothing else.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# The signatures of a preview are made with this, never with a channel's own secret.
_SAMPLE_KEY = "sample"
_SAMPLE_ID = "01234567-89ab-7cde-8f01-23456789abcd"


@dataclass(frozen=True, slots=True)
class Preview:
    """One event in one kind: `drawing` for chats, `subject` for mail, `headers` for webhooks; `sent` is the body."""

    kind: ChannelKind
    sent: str
    drawing: Drawing | None = None
    subject: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EventPreviews:
    event: type[Event]
    previews: tuple[Preview, ...]


@require_safe
@workspace_page()
def project_preview(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """One event (`?event=`) in every kind: a part for htmx, a page otherwise. Without an event the page has all."""
    project = project_of(request, slug)
    name = request.GET.get("event", "")
    if name and catalog.find(name) is None:
        raise Http404
    if is_htmx(request):
        return render(
            request, "partials/previews.html", {"project": project, **preview_context(request, project, name)}
        )
    events = [catalog.get(name)] if name else list(catalog.events())
    return render(
        request,
        "pages/project_preview.html",
        {
            **frame(request, project, "config", "preview"),
            "title": "Message previews",
            "all": [previews(project, event) for event in events],
            "events": catalog.events(),
            "chosen": name,
            "now": now(),
        },
    )


@require_safe
@xframe_options_sameorigin
@workspace_page()
def project_preview_email(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The mail's HTML in a document of its own."""
    project = project_of(request, slug)
    event = catalog.find(request.GET.get("event", ""))
    if event is None:
        raise Http404
    return mail_document(json.loads(_render(registry.get("email"), event, project))["html"])


def mail_document(html: str) -> HttpResponse:
    """A mail as a document that may do nothing but look right; its links open beside it."""
    html = _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', html, count=1)
    return HttpResponse(html, headers={"Content-Security-Policy": _MAIL_POLICY})


def preview_context(request: WorkspaceRequest, project: Project, name: str) -> dict[str, Any]:
    event = catalog.find(name) or next(iter(catalog.events()))
    return {"shown": previews(project, event), "events": catalog.events(), "now": now()}


def previews(project: Project, event: type[Event]) -> EventPreviews:
    return EventPreviews(event, tuple(_preview(kind, event, project) for kind in registry.kinds()))


def _preview(kind: ChannelKind, event: type[Event], project: Project) -> Preview:
    if kind.category is Category.WEBHOOK:
        body = webhook_body.build(event.kind, samples.facts(event.name), event.name, project_json(project), now())
        headers = signature.headers(
            delivery_id=_SAMPLE_ID, event=event.name, at=now(), body=body.encode(), secret=_SAMPLE_KEY
        )
        return Preview(kind, _pretty(body), headers=tuple(headers.items()))
    body = _render(kind, event, project)
    if kind.category is Category.EMAIL:
        mail = json.loads(body)
        return Preview(kind, mail["text"], subject=mail["subject"])
    return Preview(kind, _pretty(body), drawing=draw(kind.name, body))


def _render(kind: ChannelKind, event: type[Event], project: Project) -> str:
    moment = now()
    message = messages.build(
        kind=event.kind,
        facts=samples.facts(event.name),
        event=event.name,
        project_name=project.name,
        occurred_at=moment,
    )
    context = Context(
        delivery_id=_SAMPLE_ID,
        project_id=str(project.pk),
        zone=project.workspace.zone,
        event_url="",
        reason=f"You are a recipient of {project.name}'s notifications.",
    )
    return kind.render(message, context)


def _pretty(body: str) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)

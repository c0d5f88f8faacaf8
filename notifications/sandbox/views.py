"""The receiving addresses, and the page that shows what arrived."""

import json
import re
from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from aegisnotify.clock import now
from notifications.channels import registry
from notifications.channels.base import ChannelKind
from notifications.sandbox import arrivals, faults, receivers, webhook_secrets
from notifications.sandbox.arrivals import Arrival, Check
from notifications.sandbox.drawing import Drawing, draw
from notifications.sandbox.receivers import Reply, Request

PAGE_SIZE = 40
# Instead of the page's policy. Links of a mail open in a tab of their own; nothing else is allowed to it.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# What the connection itself needs, and tells nothing about the message.
_HIDDEN_HEADERS = frozenset({"host", "connection", "accept", "accept-encoding", "content-length"})


# --- Receiving ------------------------------------------------------------------------------------------------------


@csrf_exempt
@require_POST
def receive(request: HttpRequest, kind: str, path: str) -> HttpResponse:
    at = now()
    post = Request(
        path=path,
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
        at=at,
    )
    reply = (
        receivers.webhook(post, webhook_secrets.read(path)) if kind == "webhook" else receivers.PROVIDERS[kind](post)
    )
    fault = faults.take()
    if fault is not None:
        reply = Reply(fault, checks=(*reply.checks, Check(None, "Answered with this error because you asked for it.")))
    arrivals.store(
        Arrival(
            kind=kind,
            target=request.get_full_path(),
            headers={name: value for name, value in request.headers.items() if name.lower() not in _HIDDEN_HEADERS},
            body=post.body.decode(errors="replace"),
            status=reply.status,
            answer=reply.body,
            checks=reply.checks,
            at=at,
        )
    )
    headers = {"Retry-After": "2"} if fault == 429 else None
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type, headers=headers)


# --- Showing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """An arrival as the page draws it."""

    arrival: Arrival
    kind: ChannelKind
    drawing: Drawing | None
    code: str

    @property
    def event(self) -> str:
        """A webhook's, as its headers name it."""
        return self.arrival.headers.get("X-Aegisrunner-Event", "")

    @property
    def tone(self) -> str:
        """How it went, for the badge of the answer."""
        return "ok" if self.arrival.status is None or self.arrival.status < 300 else "bad"


def shown(arrival: Arrival) -> Shown:
    return Shown(arrival, registry.get(arrival.kind), draw(arrival.kind, arrival.body), _code(arrival))


def _code(arrival: Arrival) -> str:
    """The body with line breaks, or as it came where it is no JSON."""
    try:
        return json.dumps(json.loads(arrival.body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return arrival.body


class FaultForm(forms.Form):
    status = forms.TypedChoiceField(coerce=int, choices=[(status, str(status)) for status in faults.STATUSES])
    count = forms.IntegerField(min_value=0, max_value=faults.MOST)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    before = _number(request.GET.get("before"))
    found = arrivals.newest(PAGE_SIZE + 1, before=before)
    rows = [shown(arrival) for arrival in found[:PAGE_SIZE]]
    return render(
        request,
        "sandbox/page.html",
        {
            "title": "Sandbox",
            "rows": rows,
            "newest": found[0].number if found else 0,
            "older": found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else None,
            "live": before is None,
            "total": arrivals.count(),
            "kept": arrivals.KEPT,
            "app_url": settings.AEGIS_BASE_URL,
            "statuses": faults.STATUSES,
            "failing": faults.waiting(),
            "most_faults": faults.MOST,
        },
    )


@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """What arrived after `?after=`, to be put in front of the list; 204 when nothing did."""
    found = arrivals.newest(PAGE_SIZE, after=_number(request.GET.get("after")) or 0)
    if not found:
        return HttpResponse(status=204)
    context = {"rows": [shown(arrival) for arrival in found], "newest": found[0].number}
    return render(request, "sandbox/news.html", context)


@require_safe
@xframe_options_sameorigin
def mail_html(request: HttpRequest, number: int) -> HttpResponse:
    """A mail's HTML, in a document of its own that may do nothing but look right."""
    arrival = arrivals.get(number)
    if arrival is None or not arrival.html:
        raise Http404("No such mail.")
    html = _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', arrival.html, count=1)
    return HttpResponse(html, headers={"Content-Security-Policy": _MAIL_POLICY})


@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    arrivals.clear()
    return redirect("sandbox")


@require_POST
def ask_for_faults(request: HttpRequest) -> HttpResponse:
    form = FaultForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Give a status of the list and a number of posts.\n", status=400, content_type="text/plain")
    faults.ask(form.cleaned_data["status"], form.cleaned_data["count"])
    return redirect("sandbox")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 20 else None

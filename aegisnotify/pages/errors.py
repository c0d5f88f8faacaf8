"""The pages for what went wrong: not there, not allowed, our fault, a form that is too old."""

import json

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseServerError, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from aegisnotify.errors import body_of
from aegisnotify.pages.context import theme
from aegisnotify.pages.signing_in import page_before, to_sign_in

GONE = "It is not there any more: somebody changed or deleted it meanwhile. Nothing was saved."
FAILED = "Something failed on our side, so it may not be saved. Try again in a minute."


def refused(request: HttpRequest, response: HttpResponse, sentence: str, *, reload: bool = False) -> HttpResponse:
    """The page of an error; htmx, which has no place for a page, gets its sentence in a header, to be shown in a toast.
    `reload`: what the reader looks at is out of date."""
    if "HX-Request" in request.headers:
        # ASCII, since it is a header: `json.dumps` escapes the rest.
        response["X-Aegis-Refusal"] = json.dumps({"text": sentence, "reload": reload})
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    page = render(request, "errors/404.html", _way_back(request), status=404)
    return refused(request, page, GONE, reload=True)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = str(exception) or "You are not allowed to do this."
    page = render(request, "errors/403.html", {"sentence": sentence, **_way_back(request)}, status=403)
    return refused(request, page, sentence)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view: a host that is not ours, a form that can't be read. Rendered without the
    request, whose host or body may be what is wrong."""
    if request.path.startswith("/api/"):
        return JsonResponse(body_of("invalid", "The request can't be read."), status=400)
    return HttpResponseBadRequest(render_to_string("errors/400.html", theme(request)))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: the page is older than the sign-in, or another site's page posted here."""
    signed_in = request.user.is_authenticated
    if signed_in and request.path == reverse("login"):
        # Signed in meanwhile, in another tab or by the first of two clicks: there is nothing left to do here.
        to = request.GET.get("next", "")
        known = url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=request.is_secure())
        return redirect(to if known else "overview")
    if not signed_in and "HX-Request" in request.headers:
        return to_sign_in(request)
    sentence = "This form is no longer valid, so nothing was changed. Load the page again, then send it once more."
    page = render(request, "errors/403_form.html", {"sentence": sentence, **_way_back(request)}, status=403)
    return refused(request, page, sentence, reload=True)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: context processors would touch session and database, which may be what broke."""
    if request.path.startswith("/api/"):
        return JsonResponse(body_of("internal", "Something failed on our side. Try again."), status=500)
    page = HttpResponseServerError(render_to_string("errors/500.html", theme(request)))
    return refused(request, page, FAILED)


def _way_back(request: HttpRequest) -> dict[str, str]:
    """For whoever sent a form: the page that it was on. A link that leads nowhere is left by the back button."""
    return {"before": page_before(request)} if request.method == "POST" and request.headers.get("Referer") else {}

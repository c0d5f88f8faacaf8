"""The pages for what went wrong: not there, not allowed, our fault, a form that is too old."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseServerError, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from aegisnotify.errors import body_of
from aegisnotify.pages.context import theme


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(
        request, "errors/403.html", {"sentence": str(exception) or "You are not allowed to do this."}, status=403
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view: a host that is not ours, a form that can't be read. Rendered without the
    request, whose host or body may be what is wrong."""
    if request.path.startswith("/api/"):
        return JsonResponse(body_of("invalid", "The request can't be read."), status=400)
    return HttpResponseBadRequest(render_to_string("errors/400.html", theme(request)))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: the page is older than the sign-in, or another site's page posted here."""
    sentence = "This form is no longer valid, so nothing was changed. Go back, reload the page and send it again."
    return render(request, "errors/403.html", {"sentence": sentence}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: context processors would touch session and database, which may be what broke."""
    if request.path.startswith("/api/"):
        return JsonResponse(body_of("internal", "Something failed on our side. Try again."), status=500)
    return HttpResponseServerError(render_to_string("errors/500.html", theme(request)))

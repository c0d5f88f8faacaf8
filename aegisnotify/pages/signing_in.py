"""To the sign-in page and back, when a session has ended."""

from urllib.parse import urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

ENDED = "You were signed out meanwhile, so nothing was saved. Sign in, then do it again."


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Back is to a page: not to where its form was sent, which nobody can look at, nor to the part of it that htmx
    asked for. A redirect would be followed by htmx, and the form to sign in would land inside the page.
    """
    if request.method not in ("GET", "HEAD"):
        messages.warning(request, ENDED)
    if "HX-Request" in request.headers:
        to = redirect_to_login(path_of(request.headers.get("HX-Current-URL", "")))
        return HttpResponse(headers={"HX-Redirect": to["Location"]})
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    return redirect_to_login(page_before(request))


def page_before(request: HttpRequest) -> str:
    """The page that a form or a link was on."""
    return path_of(request.headers.get("Referer", ""))


def path_of(address: str) -> str:
    """Path and query alone, so that it can't lead elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))

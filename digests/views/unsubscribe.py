"""The page behind every unsubscribe link."""

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from aegisnotify import signed_links
from aegisnotify.client_address import client_address
from digests import unsubscribe as scopes
from projects.actors import Actor, Source


# The link itself is the permission (it is signed), and mail programs post without cookies: RFC 8058, section 3.2.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD show what will stop and change nothing: scanners follow every link. POST does or undoes it.

    The answer to a POST is the page itself, not a redirect: RFC 8058 asks for that.
    """
    try:
        scope = scopes.find(signed_links.scope_of(token))
        if scope is None:
            raise signed_links.InvalidLink("This link is not valid.")
        claims = signed_links.read(scope.name, token)
    except signed_links.InvalidLink:
        return render(request, "pages/invalid_link.html", status=404)
    offer = scope.offer(claims)
    if offer is not None and not offer.refusal and request.method == "POST":
        actor = Actor(scope.who(claims), Source.LINK, address=client_address(request))
        if _wants_undo(request):
            scope.resume(actor, claims)
        else:
            scope.stop(actor, claims)
        offer = scope.offer(claims)
    changed = request.method == "POST"
    return render(request, "pages/unsubscribe.html", {"offer": offer, "changed": changed})


def _wants_undo(request: HttpRequest) -> bool:
    """Only the page's own undo button says so. Whatever else is posted, in whatever form, wants the mail to stop."""
    try:
        return request.POST.get("undo") == "1"
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return False

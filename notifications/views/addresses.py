"""The page on which an address's owner agrees to get mail."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from aegisnotify import signed_links
from aegisnotify.client_address import client_address
from notifications.addresses import links, services
from notifications.models import AddressConfirmation
from projects.actors import Actor, Source
from projects.emails import masked


# The link itself is the permission (it is signed), and browsers inside mail programs may keep no cookies.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows who wants to write and changes nothing: scanners follow every link in a mail. POST agrees."""
    try:
        claims = signed_links.read(links.CONFIRM_ADDRESS, token, max_age=links.CONFIRMATION_AGE)
    except signed_links.ExpiredLink:
        return render(request, "pages/invalid_link.html", {"expired": True}, status=404)
    except signed_links.InvalidLink:
        return render(request, "pages/invalid_link.html", status=404)
    email = claims["email"]
    row = (
        AddressConfirmation.objects.select_related("workspace")
        .filter(workspace=claims["workspace"], email=email)
        .first()
    )
    if row is None:
        return render(request, "pages/invalid_link.html", {"withdrawn": True}, status=404)
    if request.method == "POST":
        services.confirm_address(Actor(email, Source.LINK, address=client_address(request)), row.workspace_id, email)
    confirmed = request.method == "POST" or row.confirmed_at is not None
    return render(
        request,
        "pages/confirm_address.html",
        {"workspace_name": row.workspace.name, "whom": masked(email), "confirmed": confirmed},
    )

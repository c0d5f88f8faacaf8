"""Making an account, and showing that its address is one's own."""

from django.contrib import messages
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from aegisnotify import signed_links
from aegisnotify.client_address import client_address
from projects import links
from projects.actors import Actor, Source, person
from projects.emails import masked
from projects.errors import NotFound, ServiceError, TooMany
from projects.forms import SignUpForm
from projects.models import User
from projects.pages import PersonalRequest, personal_page
from projects.services import accounts
from projects.services.workspaces import start_workspace

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """An account, a workspace on Free and its first project; signed in at once, with an address yet to be verified."""
    if request.user.is_authenticated:
        return redirect("overview")
    form = SignUpForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            user = _make(form, client_address(request))
        except ServiceError as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooMany) else 200
        else:
            login(request, user, backend=BACKEND)
            messages.success(request, f"Welcome. A mail to {user.email} asks you to confirm the address.")
            return redirect("overview")
    return render(request, "pages/sign_up.html", {"form": form}, status=status)


@transaction.atomic
def _make(form: SignUpForm, address: str | None) -> User:
    data = form.cleaned_data
    user = accounts.create_account(
        email=data["email"],
        password=data["password"],
        name=data["name"],
        time_zone=data["time_zone"],
        address=address,
    )
    start_workspace(
        person(user, Source.PAGE, address),
        name=data["workspace"],
        project=data["project"],
        base_url=data["base_url"],
        owner=user,
    )
    return user


# The link itself is the permission (it is signed), and browsers inside mail programs may keep no cookies.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify_email(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button, since scanners follow every link in a mail. POST verifies, and signs nobody in."""
    try:
        claims = signed_links.read(links.VERIFY_EMAIL, token, max_age=links.LINK_AGE)
    except signed_links.InvalidLink as error:
        return _no_link(request, expired=isinstance(error, signed_links.ExpiredLink))
    user, email = User.objects.filter(pk=claims["user"]).first(), claims["email"]
    if user is None or user.email != email:
        return _no_link(request, overtaken=True)
    if request.method == "POST":
        try:
            accounts.verify_email(Actor(email, Source.LINK, user, client_address(request)), user, email)
        except NotFound:
            return _no_link(request, overtaken=True)
    verified = request.method == "POST" or user.email_verified_at is not None
    return render(request, "pages/verify_email.html", {"whom": masked(email), "verified": verified})


@require_POST
@personal_page
def send_verification(request: PersonalRequest) -> HttpResponse:
    """The mail again, for somebody who did not get it."""
    if request.user.email_verified_at is not None:
        messages.info(request, "Your address is confirmed already.")
    elif accounts.send_verification(request.user):
        messages.success(request, f"Sent to {request.user.email}. The link works for {links.LINK_AGE.days} days.")
    else:
        messages.warning(request, "Not sent: one mail a minute, and five a day. Look into your spam folder, too.")
    return redirect("profile")


# As above.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request: HttpRequest, token: str) -> HttpResponse:
    """The new address agrees to be an account's. GET shows, POST changes."""
    try:
        claims = signed_links.read(links.CHANGE_EMAIL, token, max_age=links.CHANGE_AGE)
    except signed_links.InvalidLink as error:
        return _no_link(request, expired=isinstance(error, signed_links.ExpiredLink))
    user = User.objects.filter(pk=claims["user"], is_active=True).first()
    if user is not None and user.email == claims["email"]:
        return render(request, "pages/change_email.html", {"whom": user.email, "changed": True})
    if user is None or not links.email_change_is_current(user, claims):
        return _no_link(request, overtaken=True)
    old = masked(user.email)
    if request.method == "POST":
        actor = Actor(claims["email"], Source.LINK, user, client_address(request))
        try:
            accounts.change_email(actor, user, claims)
        except ServiceError as refusal:
            return _no_link(request, sentence=refusal.message)
    return render(
        request,
        "pages/change_email.html",
        {"whom": claims["email"], "old": old, "changed": request.method == "POST"},
    )


def _no_link(request: HttpRequest, **why: object) -> HttpResponse:
    return render(request, "pages/account_link.html", why, status=404)

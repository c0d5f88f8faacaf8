"""One's own account: name and time zone, address, password, the workspaces one belongs to."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from projects.errors import Invalid, ServiceError, TooMany
from projects.forms import EmailForm, PasswordForm, ProfileForm
from projects.pages import PersonalRequest, actor_of, personal_page
from projects.services import accounts


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def profile(request: PersonalRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form = ProfileForm(request.POST, initial=_stored(request))
    if form.is_valid():
        try:
            accounts.update_profile(actor_of(request), request.user, **form.cleaned_data)
        except ServiceError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "Your profile is saved.")
            return redirect("profile")
    return _page(request, profile=form)


@sensitive_post_parameters("password")
@require_POST
@personal_page
def change_email(request: PersonalRequest) -> HttpResponse:
    """Ask the new address; nothing changes before it agreed."""
    form, status = EmailForm(request.POST, auto_id="email_%s"), 200
    if form.is_valid():
        email = form.cleaned_data["email"]
        try:
            accounts.check_password(request.user, form.cleaned_data["password"])
            accounts.request_email_change(actor_of(request), request.user, email)
        except ServiceError as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooMany) else 200
        else:
            messages.success(request, f"A mail to {email} asks to confirm the change. Until then nothing changes.")
            return redirect("profile")
    return _page(request, status, email=form)


@sensitive_post_parameters("old_password", "password")
@require_POST
@personal_page
def change_password(request: PersonalRequest) -> HttpResponse:
    """This session goes on, all others end."""
    form, status = PasswordForm(request.POST, auto_id="password_%s"), 200
    if form.is_valid():
        try:
            _check_old_password(request, form)
            user = accounts.change_password(actor_of(request), request.user, form.cleaned_data["password"])
        except ServiceError as refusal:
            form.refuse(refusal)
            status = 429 if isinstance(refusal, TooMany) else 200
        else:
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed. All other sessions were signed out.")
            return redirect("profile")
    return _page(request, status, password=form)


def _check_old_password(request: PersonalRequest, form: PasswordForm) -> None:
    try:
        accounts.check_password(request.user, form.cleaned_data["old_password"])
    except Invalid as refusal:
        raise Invalid({"old_password": refusal.fields["password"]}) from refusal


def _page(request: PersonalRequest, status: int = 200, **forms: object) -> HttpResponse:
    shown = {
        "profile": ProfileForm(initial=_stored(request)),
        "email": EmailForm(auto_id="email_%s"),
        "password": PasswordForm(auto_id="password_%s"),
        **forms,
    }
    return render(
        request,
        "pages/profile.html",
        {"title": "Profile", "layout": request.layout, "forms": shown, "own_memberships": request.memberships},
        status=status,
    )


def _stored(request: PersonalRequest) -> dict[str, str]:
    return {"name": request.user.name, "time_zone": request.user.time_zone}

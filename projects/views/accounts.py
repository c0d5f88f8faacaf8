"""Signing in and out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from axes.helpers import get_cool_off
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from aegisnotify.clock import now
from projects.emails import normalize_email


def attempted_address(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The address that a try is counted under: every spelling of one address shares its five tries."""
    submitted = credentials if credentials is not None else request.POST
    return normalize_email(str(submitted.get("username") or ""))


class SignInForm(AuthenticationForm):
    """Email and password. The field is called `username` because password managers and Django know it by that name."""

    username = forms.EmailField(
        label="Email",
        # As long as an address can be. Where failed tries are counted in the database, a longer one has no room.
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "class": "in"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "in"}),
    )
    remember = forms.BooleanField(label="Keep me signed in for 30 days", required=False)

    error_messages = {
        "invalid_login": "Email and password do not match.",
        "inactive": "This account is switched off.",
    }

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except forms.ValidationError:
            self.fields["password"].widget.attrs.update({"aria-invalid": "true", "aria-describedby": "sign-in-error"})
            raise


class SignIn(LoginView):
    http_method_names = ["get", "head", "post", "options"]
    form_class = SignInForm
    template_name = "pages/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            # Until the browser is closed; otherwise SESSION_COOKIE_AGE.
            self.request.session.set_expiry(0)
        return response


class SignOut(LogoutView):
    """POST only."""

    http_method_names = ["post", "options"]


def locked_out(request: HttpRequest, *args: Any) -> HttpResponse:
    """Too many wrong passwords for this address from this place: says when to try again.

    Called by django-axes in place of the sign-in page's answer. A try during the lock starts it anew, so the wait is
    always the whole one.
    """
    wait = get_cool_off(request) or timedelta()
    response = render(
        request,
        "errors/locked_out.html",
        {"minutes": int(wait.total_seconds() // 60), "until": (now() + wait).replace(microsecond=0)},
        status=429,
    )
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response

"""Choosing a new password by a link in a mail, for those who forgot theirs.

Django's views keep the link's token out of the address while the form is shown; ours add the words, the limits and the
audit log.
"""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from aegisnotify.client_address import client_address
from projects.actors import Actor, Source
from projects.errors import ServiceError, TooMany
from projects.forms import NewPasswordForm, ResetRequestForm
from projects.models import User
from projects.services import accounts


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for the link. The answer is the same for every address, and as fast."""
    form = ResetRequestForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            accounts.request_password_reset(form.cleaned_data["email"], client_address(request))
        except TooMany as refusal:
            form.refuse(refusal)
            status = 429
        else:
            return redirect("password_reset_done")
    return render(request, "pages/password_reset.html", {"form": form}, status=status)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/password_reset_sent.html")


class SetNewPasswordForm(NewPasswordForm):
    """With the arguments that Django's view gives, and saving through the service as the last step of validation."""

    def __init__(self, user: User | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.address = user, None

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if not self.errors and self.user is not None:
            actor = Actor(self.user.email, Source.LINK, self.user, self.address)
            try:
                self.user = accounts.reset_password(actor, self.user, self.cleaned_data["password"])
            except ServiceError as refusal:
                self.refuse(refusal)
        return data

    def save(self) -> User | None:
        return self.user


# Around `dispatch`, since Django's answers a link that is no good whatever the method is.
@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class ChooseNewPassword(PasswordResetConfirmView):
    # Django's form is asked for nothing but what ours has too: the arguments, `is_valid` and `save`.
    form_class: Any = SetNewPasswordForm
    template_name = "pages/password_reset_confirm.html"
    success_url = reverse_lazy("login")

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.address = client_address(self.request)
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Your new password is set. Sign in with it.")
        return response

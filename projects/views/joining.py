"""Following an invitation."""

from django.contrib import messages
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from aegisnotify.client_address import client_address
from projects.actors import Source, person
from projects.errors import NotFound, PlanLimit, ServiceError, TooMany
from projects.forms import JoinForm
from projects.models import Invitation, User
from projects.services import accounts, invitations
from projects.views.signing_up import BACKEND


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join as whom one is signed in, or make the invited address an account first. GET changes nothing."""
    user = request.user if isinstance(request.user, User) else None
    found = invitations.find(token)
    if found is None:
        return _gone(request, token, user)
    form = None
    if user is None and not User.objects.filter(email=found.email).exists():
        form = JoinForm(request.POST or None)
    refusal: ServiceError | None = None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            return _join(request, token, found, user, form)
        except NotFound:
            return _gone(request, token, user)
        except ServiceError as error:
            refusal = error
            if form is not None:
                form.refuse(error)
    return render(
        request,
        "pages/invitation.html",
        {
            "invitation": found,
            "form": form,
            "fits": user is not None and user.email == found.email,
            "stranger": user if user is not None and user.email != found.email else None,
            "refusal": refusal,
            "sign_in": f"{reverse('login')}?{urlencode({'next': request.path})}",
        },
        status=_status(refusal),
    )


def _gone(request: HttpRequest, token: str, user: User | None) -> HttpResponse:
    """The link opens nothing any more; for whoever joined by it that is no trouble."""
    membership = invitations.joined(token, user) if user else None
    if membership is None:
        return render(request, "pages/account_link.html", {"sentence": invitations.GONE}, status=404)
    messages.info(request, f"You are a member of {membership.workspace.name} already.")
    return redirect(f"{reverse('overview')}?{urlencode({'ws': membership.workspace.slug})}")


def _join(
    request: HttpRequest, token: str, found: Invitation, user: User | None, form: JoinForm | None
) -> HttpResponse:
    address = client_address(request)
    if user is None and form is None:
        return redirect(f"{reverse('login')}?{urlencode({'next': request.path})}")
    with transaction.atomic():
        # Without a place for them there is no account either.
        joining = user or accounts.create_account(
            email=found.email, address=address, verified=True, **(form.cleaned_data if form else {})
        )
        invitations.accept(person(joining, Source.LINK, address), token, joining)
        User.objects.filter(pk=joining.pk).update(last_workspace=found.workspace)
    if user is None:
        login(request, joining, backend=BACKEND)
    messages.success(request, f"You are now {found.role} of {found.workspace.name}.")
    return redirect(f"{reverse('overview')}?{urlencode({'ws': found.workspace.slug})}")


def _status(refusal: ServiceError | None) -> int:
    if refusal is None:
        return 200
    return 402 if isinstance(refusal, PlanLimit) else 429 if isinstance(refusal, TooMany) else 403

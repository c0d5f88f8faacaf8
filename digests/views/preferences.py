"""Settings → Email preferences: what a person gets by mail beside the channels, and what the whole workspace does.

Every change is a form of its own, saved at once. With htmx the answer is the page's content, drawn anew.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMultiAlternatives
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from digests import selectors
from digests.forms import WeeklyForm
from digests.models import Mailing, MailingState, WeeklySubscription
from digests.services import preferences as services
from digests.weekly.sending import preview, send_now
from notifications.addresses.selectors import bounces_of
from notifications.views.previews import mail_document
from notifications.views.project_parts import is_htmx, tell
from projects.access import Right, Role, can, refusal
from projects.errors import ServiceError
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page

PAGE = "settings_email"


@require_safe
@workspace_page()
def settings_email(request: WorkspaceRequest) -> HttpResponse:
    return _page(request)


@require_POST
@workspace_page()
def weekly(request: WorkspaceRequest) -> HttpResponse:
    """Switch the weekly digest (`on`), or set its day, time and zone."""
    user, workspace = request.user, request.workspace
    if "on" in request.POST:
        row = services.set_weekly(actor_of(request), user, workspace, enabled=_on(request))
        return _changed(request, f"The weekly digest is {_word(request)}.{_next(row)}", undo="switch-weekly")
    form = WeeklyForm.of(selectors.preferences_of(user, workspace), request.POST)
    if form.is_valid():
        try:
            row = services.set_weekly(actor_of(request), user, workspace, **form.cleaned_data)
        except ServiceError as error:
            form.refuse(error)
        else:
            return _changed(request, f"The time of the weekly digest is saved.{_next(row)}")
    return _page(request, form, status=400)


@require_safe
@workspace_page()
def weekly_preview(request: WorkspaceRequest) -> HttpResponse:
    """The weekly digest as it would be now, in a document of its own."""
    message = preview(request.membership)
    assert isinstance(message, EmailMultiAlternatives)
    return mail_document(str(message.alternatives[0][0]))


@require_POST
@workspace_page()
def weekly_now(request: WorkspaceRequest) -> HttpResponse:
    """Send me one now: the last seven days, whether the digest is on or not."""
    try:
        mailing = send_now(request.user, request.workspace)
    except ServiceError as error:
        return _changed(request, error.message, good=False)
    return _changed(request, _came_of(mailing), good=mailing.state == MailingState.SENT)


@require_POST
@workspace_page()
def reminders(request: WorkspaceRequest) -> HttpResponse:
    services.set_nudges(actor_of(request), request.user, _on(request), workspace=request.workspace)
    return _changed(request, f"Reminders are {_word(request)}.", undo="switch-reminders")


@require_POST
@workspace_page()
def usage(request: WorkspaceRequest) -> HttpResponse:
    """Only those whom warnings are sent to have something to choose."""
    if not can(request.membership.role, Right.MANAGE):
        raise PermissionDenied("Only the owner and admins of this workspace get usage warnings.")
    services.set_usage_warnings(actor_of(request), request.user, request.workspace, _on(request))
    return _changed(request, f"Usage warnings are {_word(request)}.", undo="switch-usage")


@require_POST
@workspace_page(Right.MANAGE)
def whole_workspace(request: WorkspaceRequest) -> HttpResponse:
    """`on`: the workspace is unsubscribed."""
    services.set_workspace_unsubscribed(actor_of(request), request.workspace, _on(request))
    name = request.workspace.name
    sentence = f"{name} is unsubscribed." if _on(request) else f"{name} is subscribed again; what each chose holds."
    return _changed(request, sentence, undo="switch-workspace")


def _came_of(mailing: Mailing) -> str:
    match mailing.state:
        case MailingState.SENT:
            return f"The digest of the last seven days went to {mailing.recipient}."
        case MailingState.SKIPPED:
            return f"Nothing was sent: {mailing.get_reason_display()}."
        case MailingState.FAILED:
            return f"It could not be sent. {mailing.detail or mailing.get_reason_display()}"
        case _:
            return f"The mail server did not take it yet, so it is tried again. {mailing.detail}".strip()


def _on(request: WorkspaceRequest) -> bool:
    # The wanted state is named, so a second click changes nothing.
    return request.POST.get("on") == "true"


def _word(request: WorkspaceRequest) -> str:
    return "on" if _on(request) else "off"


def _next(row: WeeklySubscription) -> str:
    return f" The next one: {_when(row.next_at, row.time_zone)}." if row.next_at else ""


def _when(moment: datetime, zone: str) -> str:
    """`Monday 30 Nov, 08:30 (Europe/Berlin)`: by the clock that was chosen, wherever the reader's is."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%b}, {local:%H:%M} ({zone})"


def _changed(request: WorkspaceRequest, sentence: str, *, undo: str = "", good: bool = True) -> HttpResponse:
    if not is_htmx(request):
        (messages.success if good else messages.warning)(request, sentence)
        return to_page(request, PAGE)
    return tell(render(request, "partials/preferences.html", _context(request)), sentence, undo=undo)


def _page(request: WorkspaceRequest, form: WeeklyForm | None = None, status: int = 200) -> HttpResponse:
    template = "partials/preferences.html" if form is not None and is_htmx(request) else "pages/settings_email.html"
    return render(request, template, _context(request, form), status=status)


def _context(request: WorkspaceRequest, form: WeeklyForm | None = None) -> dict[str, object]:
    user, workspace, role = request.user, request.workspace, request.membership.role
    chosen = selectors.preferences_of(user, workspace)
    reaching = selectors.channels_reaching(user, workspace)
    return {
        "title": "Email preferences",
        "chosen": chosen,
        "next_weekly": _when(chosen.weekly_next_at, chosen.weekly_zone) if chosen.weekly_next_at else "",
        "form": form or WeeklyForm.of(chosen),
        "reaching": reaching[: selectors.MOST_CHANNELS],
        "more_reaching": len(reaching) > selectors.MOST_CHANNELS,
        "sent": selectors.recently_sent(user, workspace),
        "bounce": bounces_of([user.email]).get(user.email),
        "owns": role == Role.OWNER,
        "manages": can(role, Right.MANAGE),
        "configures": can(role, Right.CONFIGURE),
        "who_manages": refusal(Right.MANAGE),
        "members": workspace.memberships.count(),
    }

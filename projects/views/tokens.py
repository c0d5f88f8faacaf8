"""API tokens of a workspace."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from aegisnotify.clock import now
from aegisnotify.pages.once import SentAgain, once
from projects import selectors
from projects.access import Right
from projects.errors import ServiceError
from projects.forms import SCOPE_WORDS, TokenForm
from projects.models import ApiToken
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page
from projects.services import tokens
from projects.views.confirming import Question, ask

PAGE = "settings_tokens"
SHOWN_ALREADY = (
    "This form was sent twice, so one token was made. It was shown in the first answer alone: if you missed it, revoke "
    "it and make another."
)


def _workspace_of(token_id: int) -> int | None:
    return ApiToken.objects.filter(pk=token_id).values_list("workspace", flat=True).first()


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page(Right.CONFIGURE)
def tokens_page(request: WorkspaceRequest) -> HttpResponse:
    """The list and the form. The answer to the form shows the new token, once: it is stored nowhere, not even in the
    session, so there is no redirect."""
    if request.method != "POST":
        return _page(request, TokenForm(workspace=request.workspace))
    form = TokenForm(request.POST, workspace=request.workspace)
    if form.is_valid():
        try:
            with once(request):
                token, text = tokens.create_token(actor_of(request), request.workspace, **form.cleaned_data)
        except SentAgain:
            messages.info(request, SHOWN_ALREADY)
            return to_page(request, PAGE)
        except ServiceError as refusal:
            form.refuse(refusal)
        else:
            return _page(request, TokenForm(workspace=request.workspace), made=token, text=text)
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page(Right.CONFIGURE, of=_workspace_of)
def token_revoke(request: WorkspaceRequest, token_id: int) -> HttpResponse:
    token = request.workspace.api_tokens.select_related("workspace", "project").filter(pk=token_id).first()
    if token is None:
        raise Http404
    if request.method == "POST":
        tokens.revoke_token(actor_of(request), token)
        messages.success(request, f"{token.name} is revoked. It opens nothing from now on.")
        return to_page(request, PAGE)
    return ask(
        request,
        Question(
            f"Revoke {token.name}?",
            (f"Whatever uses {token.hint}… is answered 401 from now on. This can't be undone.",),
            "Revoke",
            PAGE,
        ),
    )


def _page(request: WorkspaceRequest, form: TokenForm, **more: object) -> HttpResponse:
    return render(
        request,
        "pages/tokens.html",
        {
            "title": "API tokens",
            "now": now(),
            "form": form,
            "tokens": selectors.tokens_of(request.workspace),
            "scope_words": SCOPE_WORDS,
            **more,
        },
    )

"""The docs pages: for everybody, signed in or not."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications import catalog
from notifications.channels import registry
from notifications.channels.email.config import MAX_RECIPIENTS
from notifications.channels.webhook import rotation
from notifications.delivery import policy
from projects.plan_table import plan_table

SECTIONS = (
    ("how-it-works", "How it works"),
    ("events", "Events"),
    ("filters", "Filters"),
    ("channels", "Channels"),
    ("webhooks", "Webhooks"),
    ("signatures", "Verifying signatures"),
    ("payloads", "Payloads"),
    ("delivery", "Retries and suspension"),
    ("who-was-told", "Who was told?"),
    ("mail", "Digests, nudges, warnings"),
    ("plans", "Plans"),
    ("api", "Reporting events"),
    ("questions", "Questions and answers"),
)
"""Id and title of each; the templates have their ids in their names."""


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """One query of its own: the plans."""
    # Imported here, since the libraries that describe the API cost background processes 26 MB, and those load all
    # addresses of pages.
    from notifications import documentation
    from notifications.api import payloads

    return render(
        request,
        "pages/docs.html",
        {
            "base_url": settings.AEGIS_BASE_URL,
            "sections": [(name, title, f"docs/{name}.html") for name, title in SECTIONS],
            "events": catalog.events(),
            "kinds": [(kind, f"docs/channels/{kind.name}.html") for kind in registry.kinds()],
            "max_recipients": MAX_RECIPIENTS,
            "headers": payloads.HEADERS.items(),
            "most_events": payloads.MOST_EVENTS,
            "snippets": documentation.snippets(),
            "payloads": documentation.webhook_payloads(),
            "grace_hours": rotation.DEFAULT_GRACE_HOURS,
            "longest_grace_days": rotation.LONGEST_GRACE_HOURS // 24,
            "webhook_waits": documentation.waits_in_words(policy.WEBHOOK.waits),
            "people_waits": documentation.waits_in_words(policy.PEOPLE.waits),
            "table": plan_table(),
        },
    )


@require_safe
def docs_schema(request: HttpRequest, event: str) -> HttpResponse:
    """The JSON Schema of an event's webhook body."""
    from notifications import documentation

    if catalog.find(event) is None:
        raise Http404
    response = JsonResponse(documentation.webhook_schema(event), json_dumps_params={"indent": 2})
    response["Content-Type"] = "application/schema+json"
    return response

"""What load balancers and monitoring systems ask."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.operations.readiness import readiness


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. It asks nobody else: restarting it would mend nothing of theirs."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """503 while nothing can be accepted. A dead broker or worker only delays, and is said in the body."""
    found = readiness()
    body = {
        "status": found.status,
        "database": "ok" if found.database else "down",
        "broker": "ok" if found.broker else "unknown" if not found.database else "down",
        "workers": found.workers,
        "oldest_due_seconds": round(found.oldest_due.total_seconds(), 1) if found.oldest_due is not None else None,
    }
    return JsonResponse(body, status=200 if found.database else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers for Prometheus, for whoever shows the token of the settings. Without one there is no such page."""
    if not settings.AEGIS_METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.AEGIS_METRICS_TOKEN):
        return HttpResponse(
            "Show the token: Authorization: Bearer …\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    # Imported here: only this page needs the library.
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

    from notifications.operations.exposition import exposition

    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

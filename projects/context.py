"""Context of pages that show a workspace: filled by `projects.pages`, empty elsewhere."""

from typing import Any, cast

from django.http import HttpRequest

from aegisnotify.clock import now
from projects import navigation, pages
from projects.gauges import gauges
from projects.usage import Meter


def workspace(request: HttpRequest) -> dict[str, Any]:
    """What sidebar and top bar show. Two queries: the projects' number with the badges, and the month's usage."""
    if getattr(request, "workspace", None) is None:
        return {}
    inside = cast(pages.WorkspaceRequest, request)
    current = (request.resolver_match.url_name or "") if request.resolver_match else ""
    project_count, badges = navigation.measure(inside.workspace.pk, now())
    shown = [
        list(navigation.links(entries, inside.workspace.slug, inside.membership.role, current, badges))
        for entries in (navigation.MAIN, navigation.SETTINGS)
    ]
    main, settings = shown
    parent = next((link for link in (*main, *settings) if link.current), None)
    above = [parent] if parent and parent.url.partition("?")[0] != request.path else []
    if current == "settings_workspace" or any(link.current for link in settings):
        above.insert(0, navigation.SETTINGS_CRUMB)
    return {
        "workspace": inside.workspace,
        "membership": inside.membership,
        "memberships": inside.memberships,
        "project_count": project_count,
        "runs": pages.usage(inside)[Meter.RUNS],
        "gauges": gauges(pages.usage(inside)),
        "nav_main": main,
        "nav_settings": settings,
        # Between the workspace and the page itself; a page below other pages gives its own list.
        "crumbs": above,
    }

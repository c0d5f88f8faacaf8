"""Context that every page has."""

from django.http import HttpRequest


def theme(request: HttpRequest) -> dict[str, str]:
    """The colour scheme that the reader pinned, empty to follow the system."""
    chosen = request.COOKIES.get("theme", "")
    return {"theme": chosen if chosen in ("light", "dark") else ""}

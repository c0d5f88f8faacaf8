"""Context of pages that show a workspace: filled by `projects.pages`, empty elsewhere."""

from typing import Any

from django.http import HttpRequest


def workspace(request: HttpRequest) -> dict[str, Any]:
    return {}

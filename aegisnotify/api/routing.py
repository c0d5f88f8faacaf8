"""Addresses of the API work with and without a trailing slash."""

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import URLPattern, path

TRAILING = "/"


def endpoint(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """Both spellings of `route` (given without the slash); the one without is what `name` reverses to.

    No redirect between them: it would turn a POST into a GET.
    """
    return [path(route, view, name=name), path(route + TRAILING, view)]

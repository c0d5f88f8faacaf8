"""What holds for every page, before and after its view."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string

from aegisnotify.pages.context import theme

Answer = Callable[[HttpRequest], HttpResponse]


def refuse_nul(get_response: Answer) -> Answer:
    """400 for a NUL in a page's parameters: PostgreSQL refuses it in a query, and HTML can't show it. Forms refuse it
    by themselves, and the API says in which parameter it was."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") and not request.path.startswith("/api/"):
            raise SuspiciousOperation("A parameter has a NUL in it.")
        return get_response(request)

    return answer


def explain_refused_methods(get_response: Answer) -> Answer:
    """A page instead of Django's empty 405, for whoever reloads an address that only takes a form."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            response.content = render_to_string("errors/405.html", theme(request)).encode()
        return response

    return answer

"""What holds for every page, before and after its view."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string

from aegisnotify.pages.context import theme

Answer = Callable[[HttpRequest], HttpResponse]


def leave_out_nul(get_response: Answer) -> Answer:
    """Drop every NUL from a page's parameters: PostgreSQL refuses it in a query, and HTML can't show it. Forms refuse
    it by themselves, and the API says in which parameter it was."""

    def answer(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query and not request.path.startswith("/api/"):
            request.META["QUERY_STRING"] = query.replace("%00", "")
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

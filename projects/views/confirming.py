"""Asking before something is taken away: a dialog over the page, or without JavaScript a page of its own."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from projects.pages import WorkspaceRequest


@dataclass(frozen=True, slots=True)
class Question:
    """`consequence` says what will happen; `back` is the URL name of the page that asked."""

    title: str
    consequence: tuple[str, ...]
    button: str
    back: str


def ask(request: WorkspaceRequest, question: Question) -> HttpResponse:
    template = "partials/confirm.html" if "HX-Request" in request.headers else "pages/confirm.html"
    return render(request, template, {"title": question.title, "question": question, "action": request.get_full_path()})

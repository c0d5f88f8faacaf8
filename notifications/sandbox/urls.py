"""Addresses of the sandbox. It is a site of its own, on a port of its own."""

from django.urls import path

from notifications.sandbox import views
from notifications.sandbox.receivers import PROVIDERS

urlpatterns = [
    path("", views.page, name="sandbox"),
    path("news", views.news, name="sandbox_news"),
    path("mails/<int:number>/", views.mail_html, name="sandbox_mail"),
    path("clear", views.clear, name="sandbox_clear"),
    path("faults", views.ask_for_faults, name="sandbox_faults"),
    *(path(f"{kind}/<path:path>", views.receive, {"kind": kind}) for kind in (*PROVIDERS, "webhook")),
]

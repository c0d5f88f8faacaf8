"""The addresses of pages, which messages link to. Background processes load these alone: the API and the admin site
would cost each 26 MB."""

from django.urls import include, path

urlpatterns = [
    path("", include("projects.urls")),
    path("", include("notifications.urls")),
    path("", include("digests.urls")),
]

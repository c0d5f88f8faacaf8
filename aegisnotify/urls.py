"""All addresses: pages, API, admin."""

from django.contrib import admin
from django.urls import include, path, re_path

from aegisnotify.api.views import UnknownView

urlpatterns = [
    path("api/v1/", include("aegisnotify.api.urls")),
    path("api/v1/", include("projects.api.urls")),
    path("api/v1/", include("notifications.api.urls")),
    path("api/v1/", include("digests.api.urls")),
    re_path(r"^api(/|$)", UnknownView.as_view(), name="api-unknown"),
    path("admin/", admin.site.urls),
    path("", include("notifications.operations.urls")),
    path("", include("aegisnotify.page_urls")),
]

handler400 = "aegisnotify.pages.errors.bad_request"
handler403 = "aegisnotify.pages.errors.forbidden"
handler404 = "aegisnotify.pages.errors.not_found"
handler500 = "aegisnotify.pages.errors.server_error"

"""Addresses of the API's own description, under /api/v1/."""

from aegisnotify.api.routing import endpoint
from aegisnotify.api.schema import SchemaView, docs

urlpatterns = [
    *endpoint("schema", SchemaView.as_view(), "api-schema"),
    *endpoint("docs", docs, "api-docs"),
]

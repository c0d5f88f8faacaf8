"""Addresses of the pages of notifications."""

from django.urls import path

from notifications.views import addresses, events, overview

urlpatterns = [
    path("", overview.overview_page, name="overview"),
    path("events/<uuid:event_id>/", events.event, name="event"),
    path("events/<uuid:event_id>/why/", events.event_why, name="event_why"),
    path("confirm-address/<str:token>/", addresses.confirm_address, name="confirm_address"),
]

"""Addresses of the pages on which people choose or stop mail."""

from django.urls import path

from digests import views

urlpatterns = [path("u/<str:token>/", views.unsubscribe, name="unsubscribe")]

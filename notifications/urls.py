"""Addresses of the pages of notifications."""

from django.urls import path

from notifications.views import (
    addresses,
    channel_forms,
    channels,
    deliveries,
    docs,
    events,
    explain,
    filters,
    mail_reports,
    overview,
    panels,
    previews,
    projects,
    styleguide,
    usage,
)

_CHANNEL = "p/<slug:slug>/channels/<uuid:channel_id>"

urlpatterns = [
    path("", overview.overview_page, name="overview"),
    path("deliveries/", deliveries.deliveries_page, name="deliveries"),
    path("deliveries/rows", deliveries.delivery_rows, name="delivery_rows"),
    path("deliveries/<uuid:delivery_id>/", deliveries.delivery_detail, name="delivery"),
    path("deliveries/<uuid:delivery_id>/redeliver/", deliveries.delivery_redeliver, name="delivery_redeliver"),
    path("docs/", docs.docs, name="docs"),
    path("docs/schemas/<slug:event>.json", docs.docs_schema, name="docs_schema"),
    path("_styleguide", styleguide.styleguide, name="styleguide"),
    path("usage/", usage.usage_page, name="usage"),
    path("events/<uuid:event_id>/", events.event, name="event"),
    path("events/<uuid:event_id>/why/", events.event_why, name="event_why"),
    path("events/<uuid:event_id>/fix/", events.event_fix, name="event_fix"),
    path("explain/", explain.explain, name="explain"),
    path("explain/fix/", explain.explain_fix, name="explain_fix"),
    path("confirm-address/<str:token>/", addresses.confirm_address, name="confirm_address"),
    # django-anymail's own form, so that its setup guides fit.
    path("anymail/<slug:provider>/tracking/", mail_reports.mail_report, name="mail_report"),
    path("notifications/", filters.notifications_page, name="notifications"),
    path("notifications/draft/cell", filters.draft_cell, name="draft_cell"),
    path("notifications/draft/flag/<slug:event>", filters.draft_flag, name="draft_flag"),
    path("notifications/draft/inheritance", filters.draft_inheritance, name="draft_inheritance"),
    path("notifications/draft/save", filters.draft_save, name="draft_save"),
    path("notifications/draft/discard", filters.draft_discard, name="draft_discard"),
    path("notifications/coverage/fix", filters.coverage_fix, name="coverage_fix"),
    path("settings/notifications/", filters.settings_notifications, name="settings_notifications"),
    path("projects/", projects.projects_page, name="projects"),
    path("p/<slug:slug>/", projects.project_activity, name="project_activity"),
    path("p/<slug:slug>/config/", projects.project_config, name="project_config"),
    path("p/<slug:slug>/config/general/", projects.project_general, name="project_general"),
    path(
        "p/<slug:slug>/config/integrations/notifications/", channels.project_integrations, name="project_integrations"
    ),
    path("p/<slug:slug>/preview", previews.project_preview, name="project_preview"),
    path("p/<slug:slug>/preview/email", previews.project_preview_email, name="project_preview_email"),
    path("p/<slug:slug>/channels/new", channel_forms.channel_new, name="channel_new"),
    path(_CHANNEL, channel_forms.channel, name="channel"),
    path(f"{_CHANNEL}/toggle", channels.channel_toggle, name="channel_toggle"),
    path(f"{_CHANNEL}/move", channels.channel_move, name="channel_move"),
    path(f"{_CHANNEL}/resume", channels.channel_resume, name="channel_resume"),
    path(f"{_CHANNEL}/test", channels.channel_test, name="channel_test"),
    path(f"{_CHANNEL}/confirm", channels.channel_confirm, name="channel_confirm"),
    path(f"{_CHANNEL}/recovery", channels.channel_recovery, name="channel_recovery"),
    path(f"{_CHANNEL}/pause", panels.channel_pause, name="channel_pause"),
    path(f"{_CHANNEL}/recover", panels.channel_recover, name="channel_recover"),
    path(f"{_CHANNEL}/delete", panels.channel_delete, name="channel_delete"),
    path(f"{_CHANNEL}/rotate", panels.channel_rotate, name="channel_rotate"),
    path(f"{_CHANNEL}/activate", panels.channel_activate, name="channel_activate"),
    path(f"{_CHANNEL}/reveal", panels.channel_reveal, name="channel_reveal"),
]

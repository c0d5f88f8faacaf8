"""Addresses of events, deliveries, channels and filters, under /api/v1/."""

from aegisnotify.api.routing import endpoint
from notifications.api.channels import (
    ChannelActivateView,
    ChannelRotateView,
    ChannelsView,
    ChannelTestView,
    ChannelView,
)
from notifications.api.coverage import ProjectCoverageView, WorkspaceCoverageView
from notifications.api.deliveries import DeliveriesView, DeliveryView, RedeliverView
from notifications.api.events import EventBatchView, EventsView, EventView
from notifications.api.filters import ProjectFiltersView, WorkspaceFiltersView
from notifications.api.operations import (
    ChannelConfirmView,
    ChannelPauseView,
    ChannelRecoverView,
    ChannelResumeView,
    JobView,
)
from notifications.api.whatif import WhatIfView

CHANNEL = "projects/<slug:slug>/channels/<slug:key>"

urlpatterns = [
    *endpoint("events", EventsView.as_view(), "api-events"),
    *endpoint("events/batch", EventBatchView.as_view(), "api-event-batch"),
    *endpoint("events/<uuid:event_id>", EventView.as_view(), "api-event"),
    *endpoint("deliveries", DeliveriesView.as_view(), "api-deliveries"),
    *endpoint("deliveries/<uuid:delivery_id>", DeliveryView.as_view(), "api-delivery"),
    *endpoint("deliveries/<uuid:delivery_id>/redeliver", RedeliverView.as_view(), "api-redeliver"),
    *endpoint("projects/<slug:slug>/channels", ChannelsView.as_view(), "api-channels"),
    *endpoint(CHANNEL, ChannelView.as_view(), "api-channel"),
    *endpoint(f"{CHANNEL}/test", ChannelTestView.as_view(), "api-channel-test"),
    *endpoint(f"{CHANNEL}/rotate-secret", ChannelRotateView.as_view(), "api-channel-rotate-secret"),
    *endpoint(f"{CHANNEL}/activate-secret", ChannelActivateView.as_view(), "api-channel-activate-secret"),
    *endpoint(f"{CHANNEL}/confirm", ChannelConfirmView.as_view(), "api-channel-confirm"),
    *endpoint(f"{CHANNEL}/pause", ChannelPauseView.as_view(), "api-channel-pause"),
    *endpoint(f"{CHANNEL}/resume", ChannelResumeView.as_view(), "api-channel-resume"),
    *endpoint(f"{CHANNEL}/recover", ChannelRecoverView.as_view(), "api-channel-recover"),
    *endpoint("jobs/<uuid:job_id>", JobView.as_view(), "api-job"),
    *endpoint("projects/<slug:slug>/notification-settings", ProjectFiltersView.as_view(), "api-project-filters"),
    *endpoint("projects/<slug:slug>/notification-settings/what-if", WhatIfView.as_view(), "api-what-if"),
    *endpoint(
        "projects/<slug:slug>/notification-settings/coverage", ProjectCoverageView.as_view(), "api-project-coverage"
    ),
    *endpoint("notification-settings/coverage", WorkspaceCoverageView.as_view(), "api-workspace-coverage"),
    *endpoint("notification-settings", WorkspaceFiltersView.as_view(), "api-workspace-filters"),
]

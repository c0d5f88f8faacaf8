"""Addresses of projects, usage, the workspace and its people, under /api/v1/."""

from aegisnotify.api.routing import endpoint
from projects.api import openapi  # noqa: F401  (registers how the schema describes signing in)
from projects.api.people import (
    InvitationAgainView,
    InvitationsView,
    InvitationView,
    MembersView,
    MemberView,
    TokensView,
    TokenView,
)
from projects.api.projects import ProjectsView, ProjectView
from projects.api.usage import UsageView
from projects.api.workspace import WorkspaceDetailView

urlpatterns = [
    *endpoint("projects", ProjectsView.as_view(), "api-projects"),
    *endpoint("projects/<slug:slug>", ProjectView.as_view(), "api-project"),
    *endpoint("usage", UsageView.as_view(), "api-usage"),
    *endpoint("workspace", WorkspaceDetailView.as_view(), "api-workspace"),
    *endpoint("members", MembersView.as_view(), "api-members"),
    *endpoint("members/<int:member_id>", MemberView.as_view(), "api-member"),
    *endpoint("invitations", InvitationsView.as_view(), "api-invitations"),
    *endpoint("invitations/<int:invitation_id>", InvitationView.as_view(), "api-invitation"),
    *endpoint("invitations/<int:invitation_id>/send-again", InvitationAgainView.as_view(), "api-invitation-again"),
    *endpoint("tokens", TokensView.as_view(), "api-tokens"),
    *endpoint("tokens/<int:token_id>", TokenView.as_view(), "api-token"),
]

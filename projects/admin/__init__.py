"""The admin of people, workspaces, plans, projects and tokens: one module per concern."""

from projects.admin import invitations, plans, projects, records, signing_in, tokens, users, workspaces

__all__ = ["invitations", "plans", "projects", "records", "signing_in", "tokens", "users", "workspaces"]

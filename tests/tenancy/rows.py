"""Who may ask for what: one row for every address and method of the pages and the API.

`test_tenancy.py` walks all addresses and fails for one without a row here, so whoever adds an address adds its rows:

    Row("channel_pause", GET, OPERATE),
    Row("channel_pause", POST, OPERATE, 302, form={"until": "hour"}),
    Row("api-channel-confirm", POST, CONFIGURE),
    Row("api-channel-pause", POST, OPERATE, json={"until": "2100-01-01T00:00:00Z"}),

- The name is the address's name, the method each that it takes. A method without a row has to be answered 405.
- The third is who may: a right of a role (VIEW, OPERATE, CONFIGURE, MANAGE, OWN), or PERSONAL (whoever is signed in),
  PUBLIC (also who is not), MACHINE (tokens alone). What asks for a secret of the operator is PUBLIC with its refusal's
  status.
- The number is the status that all of them get (200 unless given); `statuses` names callers that get another one,
  such as an owner, who can't leave. Everybody else has to get what section 1 of the contract says.
- Parameters of the address come from `World.parameters`; `at` gives this row others. Signed links, and what has no
  fixed address, stand in `World.links` by their name.
- `query`, `form` and `json` are what is sent. A callable gets the world: `form=lambda world: {"heir": world.heir.pk}`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.access import Right
from tests import factories

VIEW, OPERATE, CONFIGURE, MANAGE, OWN = Right.VIEW, Right.OPERATE, Right.CONFIGURE, Right.MANAGE, Right.OWN
PERSONAL, PUBLIC, MACHINE = "personal", "public", "machine"
GET, POST, PUT, PATCH, DELETE = METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Sent = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    name: str
    method: str
    who: Right | str
    status: int = 200
    form: Sent = field(default_factory=dict)
    json: Sent = field(default_factory=dict)
    query: Sent = field(default_factory=dict)
    at: Sent = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api-")

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


_EVENTS = {"run_completed": True, "run_failed": True, "scheduled_runs": True, "crawl_completed": True}
_FLAGS = {**_EVENTS, "ai_generated": True}
_SETTINGS = {"events": _FLAGS, "inherits_workspace_flags": False, "channel_filters": {}}
_RUN = {"event": "run_completed", "project": "acme-web", "run": {"id": "n-1", "status": "passed"}}
_TEST = {"event": "run_failed"}
_QUESTION = {"project": "acme-web", "event": "run_failed", "result": "failed"}
_PASSWORD = {"password": factories.PASSWORD}
_START = {"workspace": "Another", "project": "Shop"}
_ACCOUNT = {"name": "Ann", "email": "ann@example.com", "time_zone": "UTC", **_PASSWORD, **_START}
_SIGNED_IN = ("owner", "admin", "member", "viewer", "outsider")
_ELSEWHERE = dict.fromkeys(_SIGNED_IN, 302)

ACCOUNTS = (
    Row("login", GET, PUBLIC, statuses=_ELSEWHERE),
    Row("login", POST, PUBLIC, statuses=_ELSEWHERE),
    Row("logout", POST, PUBLIC, 302),
    Row("signup", GET, PUBLIC, statuses=_ELSEWHERE),
    Row("signup", POST, PUBLIC, 302, form=_ACCOUNT),
    Row("verify_email", GET, PUBLIC),
    Row("verify_email", POST, PUBLIC),
    Row("email_change", GET, PUBLIC),
    Row("email_change", POST, PUBLIC),
    Row("invitation", GET, PUBLIC),
    # Whoever is signed in as somebody else than was invited is refused.
    Row("invitation", POST, PUBLIC, statuses=dict.fromkeys(_SIGNED_IN, 403)),
    Row("password_reset", GET, PUBLIC),
    Row("password_reset", POST, PUBLIC, 302, form={"email": "nobody@example.com"}),
    Row("password_reset_done", GET, PUBLIC),
    # To the same page without the token in its address.
    Row("password_reset_confirm", GET, PUBLIC, 302),
    Row("password_reset_confirm", POST, PUBLIC, 302),
    Row("profile", GET, PERSONAL),
    Row("profile", POST, PERSONAL, 302, form={"name": "Ann", "time_zone": "UTC"}),
    Row("profile_email", POST, PERSONAL, 302, form={"email": "new@example.com", **_PASSWORD}),
    Row(
        "profile_password", POST, PERSONAL, 302, form={"old_password": factories.PASSWORD, "password": "another 1 two"}
    ),
    Row("profile_verification", POST, PERSONAL, 302),
    Row("new_workspace", GET, PERSONAL),
    Row("new_workspace", POST, PERSONAL, 302, form=_START),
)

WORKSPACE = (
    Row("settings_workspace", GET, CONFIGURE),
    Row("settings_workspace", POST, CONFIGURE, 302, form={"name": "Acme", "time_zone": "UTC"}),
    Row("workspace_hand_over", POST, OWN, 302, form=lambda world: {"heir": world.heir.pk, **_PASSWORD}),
    Row("workspace_delete", POST, OWN, 302, form={"name": "Acme QA", **_PASSWORD}),
    Row("workspace_leave", GET, VIEW),
    Row("workspace_leave", POST, VIEW, 302),
    Row("settings_members", GET, MANAGE),
    Row("member_invite", POST, MANAGE, 302, form={"email": "new@example.com", "role": "member"}),
    Row("member_role", POST, MANAGE, 302, form={"role": "viewer"}),
    Row("member_remove", GET, MANAGE),
    Row("member_remove", POST, MANAGE, 302),
    Row("invitation_again", POST, MANAGE, 302),
    Row("invitation_revoke", GET, MANAGE),
    Row("invitation_revoke", POST, MANAGE, 302),
    Row("settings_tokens", GET, CONFIGURE),
    Row("settings_tokens", POST, CONFIGURE, form={"name": "ci", "scopes": ["events:write"]}),
    Row("token_revoke", GET, CONFIGURE),
    Row("token_revoke", POST, CONFIGURE, 302),
    Row("settings_audit", GET, MANAGE),
    Row("audit_csv", GET, MANAGE),
    Row("overview", GET, VIEW),
    Row("usage", GET, VIEW),
)

NOTIFICATIONS = (
    Row("notifications", GET, VIEW),
    # Drafts are what-if until they are saved.
    Row("draft_cell", POST, VIEW, 302, form=lambda world: {"cell": f"{world.email_channel.pk}:run_failed:off"}),
    Row("draft_flag", POST, VIEW, 302, form={"value": "off"}, at={"event": "run_failed"}),
    Row("draft_inheritance", POST, VIEW, 302, form={"project": "acme-web", "follow": "no"}),
    Row("draft_save", POST, CONFIGURE, 302),
    Row("draft_discard", POST, VIEW, 302),
    Row("coverage_fix", POST, OPERATE, 302, form={"warning": "unknown"}),
    # Only leads on; what it leads to has its own row.
    Row("settings_notifications", GET, PUBLIC, 302),
)

EVENTS_AND_DELIVERIES = (
    Row("deliveries", GET, VIEW),
    Row("delivery_rows", GET, VIEW),
    Row("delivery", GET, VIEW),
    Row("delivery_redeliver", POST, OPERATE, 302),
    Row("event", GET, PUBLIC, 302),
    Row("event_why", GET, VIEW),
    Row("event_fix", POST, OPERATE, 302, form={"remedy": "enable"}),
    Row("explain", GET, VIEW),
    Row("explain_fix", POST, OPERATE, 302, query=_QUESTION, form={"remedy": "enable"}),
    Row("confirm_address", GET, PUBLIC),
    Row("confirm_address", POST, PUBLIC),
    Row("unsubscribe", GET, PUBLIC),
    Row("unsubscribe", POST, PUBLIC),
)

PROJECTS = (
    Row("projects", GET, VIEW),
    Row("projects", POST, CONFIGURE, 302, form={"name": "Shop"}),
    Row("project_activity", GET, VIEW),
    Row("project_config", GET, VIEW, 302),
    Row("project_general", GET, VIEW),
    Row("project_general", POST, CONFIGURE, 302, form={"name": "Shop", "slug": "acme-web"}),
    Row("project_integrations", GET, VIEW),
    Row("project_preview", GET, VIEW),
    Row("project_preview_email", GET, VIEW, query={"event": "run_failed"}),
    Row("channel_new", GET, CONFIGURE),
    Row("channel_new", POST, CONFIGURE, 302, query={"kind": "email"}, form={"name": "Mail", "mode": "immediate"}),
    Row("channel", GET, CONFIGURE),
    Row("channel", POST, CONFIGURE, 302, form={"name": "Hook", "key": "hook"}),
    Row("channel_toggle", POST, CONFIGURE, 302, form={"enabled": "false"}),
    Row("channel_move", POST, CONFIGURE, 302, form={"direction": "up"}),
    Row("channel_resume", POST, OPERATE, 302),
    Row("channel_test", POST, OPERATE, at=lambda world: {"channel_id": world.email_channel.pk}, form=_TEST),
    Row("channel_confirm", POST, CONFIGURE, 302),
    Row("channel_recovery", GET, VIEW),
    Row("channel_pause", GET, OPERATE),
    Row("channel_pause", POST, OPERATE, 302, form={"until": "hour"}),
    Row("channel_recover", GET, OPERATE),
    Row("channel_recover", POST, OPERATE, 302, form={"since": "hour"}),
    Row("channel_delete", GET, CONFIGURE),
    Row("channel_delete", POST, CONFIGURE, 302),
    Row("channel_rotate", GET, CONFIGURE),
    Row("channel_rotate", POST, CONFIGURE, form={"grace_hours": "24"}),
    Row("channel_activate", GET, CONFIGURE),
    Row("channel_activate", POST, CONFIGURE, 409),
    Row("channel_reveal", GET, CONFIGURE),
    Row("channel_reveal", POST, CONFIGURE, form=_PASSWORD),
)

API = (
    Row("api-schema", GET, PUBLIC),
    Row("api-docs", GET, PUBLIC),
    *(Row("api-unknown", method, PUBLIC, 404) for method in METHODS),
    Row("api-projects", GET, VIEW),
    Row("api-projects", POST, CONFIGURE, 201, json={"name": "Shop"}),
    Row("api-project", GET, VIEW),
    Row("api-project", PATCH, CONFIGURE, json={"name": "Shop"}),
    Row("api-usage", GET, VIEW),
    Row("api-events", GET, VIEW),
    Row("api-events", POST, MACHINE, 202, json=_RUN),
    Row("api-event-batch", POST, MACHINE, json={"events": [_RUN]}),
    Row("api-event", GET, VIEW),
    Row("api-deliveries", GET, VIEW),
    Row("api-delivery", GET, VIEW),
    Row("api-redeliver", POST, OPERATE, 202),
    Row("api-channels", GET, VIEW),
    Row("api-channels", POST, CONFIGURE, 201, json={"kind": "email", "name": "Mail"}),
    Row("api-channel", GET, VIEW),
    Row("api-channel", PATCH, CONFIGURE, json={"name": "Hook"}),
    Row("api-channel", DELETE, CONFIGURE, 204),
    Row("api-channel-test", POST, OPERATE, at={"key": "email"}, json=_TEST),
    Row("api-channel-rotate-secret", POST, CONFIGURE),
    Row("api-channel-activate-secret", POST, CONFIGURE, 409),
    Row("api-channel-confirm", POST, CONFIGURE),
    Row("api-channel-pause", POST, OPERATE, json=lambda world: {"until": world.tomorrow}),
    Row("api-channel-resume", POST, OPERATE),
    Row("api-channel-recover", POST, OPERATE, 202, json=lambda world: {"since": world.yesterday}),
    Row("api-job", GET, VIEW),
    Row("api-project-filters", GET, VIEW),
    Row("api-project-filters", PUT, CONFIGURE, json=_SETTINGS),
    Row("api-project-filters", PATCH, CONFIGURE, json={"events": {"run_failed": False}}),
    Row("api-what-if", POST, VIEW, json={"events": {"run_failed": False}}),
    Row("api-workspace", GET, VIEW),
    Row("api-workspace", PATCH, CONFIGURE, json={"name": "Acme"}),
    Row("api-members", GET, MANAGE),
    Row("api-member", PATCH, MANAGE, json={"role": "viewer"}),
    Row("api-member", DELETE, MANAGE, 204),
    Row("api-invitations", GET, MANAGE),
    Row("api-invitations", POST, MANAGE, 201, json={"email": "new@example.com", "role": "member"}),
    Row("api-invitation", DELETE, MANAGE, 204),
    Row("api-invitation-again", POST, MANAGE),
    Row("api-tokens", GET, CONFIGURE),
    Row("api-tokens", POST, CONFIGURE, 201, json={"name": "ci", "scopes": ["events:write"]}),
    Row("api-token", DELETE, CONFIGURE, 204),
    Row("api-project-coverage", GET, VIEW),
    Row("api-workspace-coverage", GET, VIEW),
    Row("api-workspace-filters", GET, VIEW),
    Row("api-workspace-filters", PUT, CONFIGURE, json={"events": _FLAGS}),
    Row("api-workspace-filters", PATCH, CONFIGURE, json={"events": {"run_failed": False}}),
)

OPERATIONS = (
    Row("styleguide", GET, PUBLIC, 404),
    Row("healthz", GET, PUBLIC),
    Row("readyz", GET, PUBLIC),
    # Each is closed until the operator sets a secret for it, whatever the method.
    Row("metrics", GET, PUBLIC, 404),
    *(Row("mail_report", method, PUBLIC, 403, at={"provider": "postmark"}) for method in METHODS),
)

PREFERENCES = (
    Row("settings_email", GET, VIEW),
    Row("settings_email_preview", GET, VIEW),
    Row("settings_email_weekly", POST, VIEW, 302, form={"on": "true"}),
    Row("settings_email_now", POST, VIEW, 302),
    Row("settings_email_reminders", POST, VIEW, 302, form={"on": "true"}),
    # Usage warnings go to owner and admins only.
    Row("settings_email_usage", POST, VIEW, 302, form={"on": "true"}, statuses={"member": 403, "viewer": 403}),
    Row("settings_email_workspace", POST, MANAGE, 302, form={"on": "true"}),
    Row("api-email-preferences", GET, VIEW),
    Row("api-email-preferences", PATCH, VIEW, json={"reminders": False}),
)

DOCS = (
    Row("docs", GET, PUBLIC),
    Row("docs_schema", GET, PUBLIC, at={"event": "run_failed"}),
)

ROWS = (
    *ACCOUNTS,
    *WORKSPACE,
    *NOTIFICATIONS,
    *EVENTS_AND_DELIVERIES,
    *PROJECTS,
    *API,
    *OPERATIONS,
    *PREFERENCES,
    *DOCS,
)

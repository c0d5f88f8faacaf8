"""The form of the URLs that Microsoft Teams takes messages at. They are kept byte for byte: `sig` covers the query.

Workflows have two families of hosts; the older (logic.azure.com) still serves some environments. Classic connectors
were retired in May 2026; their URLs are accepted with a warning, for tenants where they live on.
"""

from urllib.parse import parse_qs, urlsplit

from notifications.channels.urls import refuse

WORKFLOW_HOSTS = (".environment.api.powerplatform.com", ".logic.azure.com")
CLASSIC_HOST = "outlook.office.com"
CLASSIC_HOSTS = (".webhook.office.com",)
CLASSIC_WARNING = (
    "This is the URL of a classic Office 365 connector. Microsoft retired those in May 2026, so messages may not "
    "arrive. Create a workflow in the channel (… → Workflows) and use its URL."
)


def check_url(url: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == CLASSIC_HOST or host.endswith(CLASSIC_HOSTS):
        if not parts.path.startswith("/webhook"):
            raise refuse("This is not a webhook URL. Create a workflow in the channel (… → Workflows) and use its URL.")
        return url, (CLASSIC_WARNING,)
    if not host.endswith(WORKFLOW_HOSTS):
        raise refuse(
            "This is not the URL of a Teams workflow: its host ends with .environment.api.powerplatform.com "
            "or .logic.azure.com. Copy it from the workflow's trigger, “When a Teams webhook request is received”."
        )
    if "/workflows/" not in parts.path or "/triggers/" not in parts.path:
        raise refuse(
            "The URL of a Teams workflow has /workflows/ and /triggers/ in its path. "
            "Copy the whole URL from the workflow's trigger, “When a Teams webhook request is received”."
        )
    if not parse_qs(parts.query).get("sig"):
        raise refuse(
            "The URL has no signature (sig), so the workflow would ask us to sign in. In its trigger set "
            "“Who can trigger the flow?” to Anyone, save, and copy the whole URL again."
        )
    return url, ()

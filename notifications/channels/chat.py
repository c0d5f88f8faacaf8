"""What Slack, Discord and Teams have in common: one secret URL to which a JSON body is posted."""

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from aegisnotify import __version__
from notifications.channels import urls
from notifications.channels.base import Answer, ChannelKind, Checked, Outgoing
from projects.entitlements import Category
from projects.errors import Invalid

if TYPE_CHECKING:
    from notifications.delivery.transport import Transport


class ChatKind(ChannelKind):
    category: ClassVar[Category] = Category.CHAT
    settings: ClassVar[frozenset[str]] = frozenset({"url"})
    user_agent: ClassVar[str] = f"AegisNotify/{__version__}"

    def check(self, submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> Checked:
        url = urls.submitted_url(submitted, current)
        if url is None:
            kept = str(current["url"]) if current else ""
            return Checked(config={"url": kept}, url=kept)
        parts = urls.parse(url)
        if urls.is_extra_host(self.name, parts):
            if parts.scheme == "http" and not urls.http_is_allowed(parts):
                raise urls.refuse("The URL must start with https://, not http://.")
            return Checked(config={"url": url}, url=url)
        urls.require_https(parts)
        url, warnings = self.check_url(url)
        return Checked(config={"url": url}, url=url, warnings=warnings)

    @abc.abstractmethod
    def check_url(self, url: str) -> tuple[str, tuple[str, ...]]:
        """The provider's own rules for an https URL: the URL to store, and warnings. Raises `Invalid`."""

    def send(self, outgoing: Outgoing, transport: "Transport") -> Answer:
        return transport.http.post(
            self.request_url(str(outgoing.config["url"])),
            outgoing.body.encode(),
            {"Content-Type": "application/json; charset=utf-8", "User-Agent": self.user_agent},
        )

    def request_url(self, url: str) -> str:
        """The URL to post to."""
        return url

    def target(self, config: Mapping[str, Any]) -> str:
        return urls.mask(str(config.get("url") or ""))

    def warnings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        try:
            return self.check({"url": str(config.get("url") or "")}, None).warnings
        except Invalid:
            # Stored under rules that have changed since, or for a host that the operator no longer allows.
            return ("This URL would not be accepted today. Send a test, and replace the URL if it fails.",)

    def host(self, config: Mapping[str, Any]) -> str:
        return urls.host_and_port(str(config.get("url") or "")) or self.name

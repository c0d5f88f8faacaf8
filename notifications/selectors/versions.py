"""By which it is seen that somebody changed a channel meanwhile."""

from aegisnotify.etags import etag
from notifications.models import Channel


def version_of(channel: Channel) -> str:
    """Another after every change of what its page can change."""
    return etag(
        {
            "name": channel.name,
            "key": channel.key,
            "mode": channel.mode,
            "digest_time": str(channel.digest_time),
            "target": channel.target_fingerprint,
            "recipients": list(channel.recipients.order_by("position", "pk").values_list("email", flat=True)),
        }
    )

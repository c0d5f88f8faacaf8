"""What a higher room does when an email channel starts or stops collecting for its daily digest, or changes its time.

The digests register here, since imports go one way.
"""

from collections.abc import Callable

from notifications.models import Channel
from projects.actors import Actor

TimingChanged = Callable[[Actor, Channel], None]

_hooks: list[TimingChanged] = []


def on_timing_changed(hook: TimingChanged) -> TimingChanged:
    """Register what runs, in the same transaction, after the mode or the digest's time of a channel has changed.

    The channel is as it is now: `immediate` means that what is held goes out as one last digest.
    """
    _hooks.append(hook)
    return hook


def timing_changed(actor: Actor, channel: Channel) -> None:
    for hook in _hooks:
        hook(actor, channel)

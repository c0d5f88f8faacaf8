"""Checking what somebody submits as flags and channel filters, and merging it into what is there. Pure.

The checks collect sentences by the path of the bad field, so that one answer names all of them.
"""

from collections.abc import Collection, Mapping
from typing import Any

from notifications import catalog

Errors = dict[str, list[str]]
Filters = Mapping[str, Mapping[str, bool]]
FilterChanges = Mapping[str, Mapping[str, bool | None]]


def unknown_parts(new: Mapping[str, Any], known: tuple[str, ...]) -> Errors:
    return {name: [f"Unknown field. Known: {', '.join(known)}."] for name in new if name not in known}


def check_events(events: Any, errors: Errors, *, complete: bool = False) -> dict[str, bool]:
    """Flags by event name. `complete`: all events must be named."""
    if not isinstance(events, dict):
        errors["events"] = ["Must be an object of event names and true or false."]
        return {}
    for name, value in events.items():
        if name not in catalog.names():
            errors[f"events.{name}"] = [f"Unknown event. Known: {', '.join(catalog.names())}."]
        elif not isinstance(value, bool):
            errors[f"events.{name}"] = ["Must be true or false."]
    if complete and "events" not in errors:
        errors |= {f"events.{name}": ["This field is required."] for name in catalog.names() if name not in events}
    return events


def check_filters(filters: Any, keys: Collection[str], errors: Errors) -> dict[str, dict[str, bool | None]]:
    """Channel filters by channel key. `keys`: the channels that there are."""
    if not isinstance(filters, dict):
        errors["channel_filters"] = ["Must be an object of channel keys."]
        return {}
    for key, overrides in filters.items():
        path = f"channel_filters.{key}"
        if key not in keys:
            errors[path] = ["Unknown channel key."]
        elif not isinstance(overrides, dict):
            errors[path] = ["Must be an object of event names."]
        else:
            for event, value in overrides.items():
                if event not in catalog.names():
                    errors[f"{path}.{event}"] = [f"Unknown event. Known: {', '.join(catalog.names())}."]
                elif value is not None and not isinstance(value, bool):
                    errors[f"{path}.{event}"] = ["Must be true, false or null."]
    return filters


def merged(current: Filters, changes: FilterChanges) -> dict[str, dict[str, bool]]:
    """`current` with `changes`: null removes an override. Channels without any are left out."""
    result: dict[str, dict[str, bool | None]] = {key: dict(value) for key, value in current.items()}
    for key, overrides in changes.items():
        result.setdefault(key, {}).update(overrides)
    kept = {
        key: {event: value for event, value in overrides.items() if value is not None}
        for key, overrides in result.items()
    }
    return {key: overrides for key, overrides in kept.items() if overrides}

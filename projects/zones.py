"""Time zones to choose from."""

import functools
from zoneinfo import available_timezones

_NO_PLACES = ("Etc/", "SystemV/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/")


@functools.cache
def zone_names() -> tuple[str, ...]:
    """UTC, then the zones named after places. Old names of the same zones (US/Eastern, GMT+5) are left out."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES))
    return ("UTC", *sorted(places))

"""What a token may do, and which right of a person each scope stands for."""

import enum

from projects.access import Right


class Scope(enum.StrEnum):
    EVENTS_WRITE = "events:write"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"


# Reporting events is for machines: no role of a signed-in person includes it.
RIGHT_OF: dict[Scope, Right | None] = {
    Scope.EVENTS_WRITE: None,
    Scope.DELIVERIES_READ: Right.VIEW,
    Scope.DELIVERIES_WRITE: Right.OPERATE,
    Scope.SETTINGS_READ: Right.VIEW,
    Scope.SETTINGS_WRITE: Right.CONFIGURE,
}

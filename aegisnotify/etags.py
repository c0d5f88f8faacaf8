"""By which it is seen that what somebody looked at has changed since."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def etag(representation: Mapping[str, Any]) -> str:
    """A strong entity tag (RFC 9110, section 8.8.3) of a representation."""
    text = json.dumps(representation, sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

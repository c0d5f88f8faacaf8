"""Time-ordered identifiers."""

import os
import time
import uuid
from datetime import datetime


def uuid7() -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits.

    New rows land at the right edge of every index, so inserts stay local however large a table grows.
    """
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def uuid7_floor(moment: datetime) -> uuid.UUID:
    """A UUID that no `uuid7()` made before `moment` exceeds, and none made since its millisecond falls below."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | 0x2 << 62)

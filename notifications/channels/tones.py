"""The colours of a message's bar. Never alone: emoji and words always say the same."""

from collections.abc import Mapping

from notifications.messages import Tone

COLOURS: Mapping[Tone, int] = {Tone.GOOD: 0x1A7F37, Tone.BAD: 0xD92D20, Tone.NEUTRAL: 0x2D45C8}

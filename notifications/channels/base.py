"""The interface that every kind of channel implements, and the values that pass through it.

A kind checks configuration, renders a message, hands it over and reads the answer. It touches neither the database nor
the clock: it gets values and returns values, so that the engine can call it from any thread.
"""

import abc
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from notifications.messages import Message
from projects.entitlements import Category

if TYPE_CHECKING:
    from notifications.delivery.transport import Transport


class Trouble(enum.StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    DNS = "dns"
    TLS = "tls"
    BLOCKED = "blocked"
    """The address is not one we may send to (section "Security": private, link-local, …). Final."""
    OURS = "ours"
    """Our own configuration or infrastructure is at fault, not the receiver."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: either a status, or a trouble. `headers` have lower-case names; `body` is at most 64 KB of text.

    `detail` describes a trouble in words without addresses or secrets.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    duration_ms: int = 0
    trouble: Trouble | None = None
    detail: str = ""


class Verdict(enum.StrEnum):
    OK = "ok"
    ACCEPTED = "accepted"
    RETRY = "retry"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """Our reading of an answer: what to do, and a sentence that says what happened and what to do about it.

    `retry_after` (seconds) is the other side's wish; with `everybody`, for all our channels at its host. `gone`
    suspends the channel at once. `bounced` marks the address. `too_large` asks for one smaller rendering. `limited` is
    a 429: a recorded try, but no step of the ladder. `ours` marks our own faults: they say nothing of the channel and,
    where they are tried again, use up no try.
    """

    verdict: Verdict
    sentence: str
    retry_after: float | None = None
    everybody: bool = False
    gone: bool = False
    bounced: bool = False
    too_large: bool = False
    limited: bool = False
    ours: bool = False

    @property
    def is_no_try(self) -> bool:
        return self.ours and self.verdict is Verdict.RETRY


@dataclass(frozen=True, slots=True)
class Checked:
    """Configuration that passed its kind's check, ready to be stored.

    `config` is stored encrypted. `url` (where there is one) yields host and fingerprint. `recipients`, `mode` and
    `digest_time` are email's. `new_secret` is a secret that was generated here and is shown once.
    """

    config: Mapping[str, Any]
    url: str = ""
    recipients: tuple[str, ...] = ()
    mode: str = "immediate"
    digest_time: time | None = None
    warnings: tuple[str, ...] = ()
    new_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a rendering may need beside the message: links, the reader's zone, the reason in words.

    `zone` is the reader's (email) or the workspace's. `event_url` is the page that says who was told and why;
    `is_member` says whether this recipient may open it. `unsubscribe_url` and `preferences_url` are empty where there
    is no reader.
    """

    delivery_id: str
    project_id: str
    zone: ZoneInfo
    event_url: str
    reason: str
    recipient: str = ""
    is_member: bool = False
    unsubscribe_url: str = ""
    preferences_url: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One try: what to send, where, under which id. `body` is what `render` (or intake) made."""

    delivery_id: str
    event: str
    body: str
    config: Mapping[str, Any]
    at: datetime
    recipient: str = ""
    test: bool = False


class ChannelKind(abc.ABC):
    """One kind of channel. Instances are stateless and shared by all threads."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    category: ClassVar[Category]
    settings: ClassVar[frozenset[str]]
    """The names of the settings this kind has, of: url, secret, recipients, mode, digest_time."""
    pace: ClassVar[timedelta | None] = None
    """How long to wait between two messages to one URL, where the provider says so."""
    setup_steps: ClassVar[tuple[str, ...]]
    """How to get what this kind needs, a sentence per step."""

    @abc.abstractmethod
    def check(self, submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> Checked:
        """Check what somebody submitted.

        `submitted` holds only settings this kind has; `current` is the stored state of an existing channel, with the
        same names (None for a new one): what is not submitted keeps its value. Raises `projects.errors.Invalid` with
        sentences per field.
        """

    def render(self, message: Message, context: Context, *, compact: bool = False) -> str:
        """The body for the provider: valid for any message. `compact`: as small as can be, after "too large"."""
        raise NotImplementedError(f"{self.name} has no people's message")

    @abc.abstractmethod
    def send(self, outgoing: Outgoing, transport: "Transport") -> Answer:
        """Hand it over, once. Never raises for anything the other side does."""

    @abc.abstractmethod
    def read(self, answer: Answer) -> Reading:
        """What the answer means, by the provider's rules (pure)."""

    def target(self, config: Mapping[str, Any]) -> str:
        """The target to show people: masked, without secrets."""
        return ""

    def warnings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """What people should know about a stored configuration that is accepted all the same."""
        return ()

    def host(self, config: Mapping[str, Any]) -> str:
        """What bounds and queues are kept by. Email shares one: our own mail server."""
        return self.name

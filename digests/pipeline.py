"""From claimed mailings to sent ones: each kind makes its mails, and one loop hands them over."""

import abc
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.core.mail import EmailMessage
from django.db import transaction

from aegisnotify.clock import now
from aegisnotify.mail import DjangoMailClient
from digests import handing_over, mailings
from digests.handing_over import Outcome
from digests.models import Mailing, MailingKind, MailingState, SkipReason
from digests.models.mailings import FailReason
from notifications.addresses.services import mark_bounced
from notifications.models import AddressBounce

logger = logging.getLogger(__name__)

AT_ONCE = 100
Made = EmailMessage | SkipReason


@dataclass(frozen=True, slots=True)
class Claim:
    """The mailings that were stored, skipped ones too, and how many clocks were moved: 0 when nothing was due."""

    rows: list[Mailing]
    moved: int


class Kind(abc.ABC):
    """One kind of mail. Claims and mails are made for a batch, so that the queries do not grow with it."""

    name: ClassVar[MailingKind]

    @abc.abstractmethod
    def claim(self, token: uuid.UUID, moment: datetime, limit: int) -> Claim:
        """Find who is due, move their clocks, and store a mailing for each, in one transaction."""

    @abc.abstractmethod
    def make(self, rows: Sequence[Mailing], moment: datetime) -> Iterator[tuple[Mailing, Made]]:
        """The mail of each, or why it is not sent. The same row, made again after a failed try, makes the same mail."""

    def finished(self, mailing: Mailing) -> None:
        """Called in the transaction that stores the outcome of one."""
        return


class Run:
    """One turn of one process: at most one connection to the mail server, one token for its claims."""

    def __init__(
        self, kinds: Iterable[Kind], *, stop: Callable[[], bool] = lambda: False, token: uuid.UUID | None = None
    ) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._stop = stop
        self._token = token or uuid.uuid4()
        self._client = DjangoMailClient()
        self.sent = 0

    def close(self) -> None:
        self._client.close()

    def bury(self) -> int:
        """Record those whose process died while it handed them over. How many."""
        found = mailings.lost(AT_ONCE, now())
        for mailing in found:
            self._finish(mailing, FailReason.INTERRUPTED, mailing.detail)
        return len(found)

    def claim_and_send(self, kind: Kind) -> int:
        """One batch of one kind. How many clocks it moved: 0 when nothing is due any more."""
        claim = kind.claim(self._token, now(), AT_ONCE)
        self.send([row for row in claim.rows if row.state == MailingState.CLAIMED])
        return claim.moved

    def reclaim_and_send(self) -> int:
        rows = mailings.reclaim(AT_ONCE, self._token, now())
        self.send(rows)
        return len(rows)

    def send(self, rows: Sequence[Mailing]) -> None:
        """Make and hand over claimed ones. When the mail server can't be reached, all that are left wait."""
        for name in {row.kind: None for row in rows}:
            self._send_kind(self._kinds[MailingKind(name)], [row for row in rows if row.kind == name])

    def _send_kind(self, kind: Kind, rows: list[Mailing]) -> None:
        waiting = {row.pk: row for row in rows}
        renewed = now()
        for mailing, made in self._made(kind, rows):
            if self._stop():
                mailings.give_back(waiting.values(), self._token, now())
                return
            if now() - renewed > mailings.LEASE / 3:
                renewed = now()
                mailings.renew(waiting.values(), self._token, renewed)
            del waiting[mailing.pk]
            trouble = self._one(mailing, made)
            if trouble is not None:
                for left in waiting.values():
                    self._later(left, trouble)
                return

    def _made(self, kind: Kind, rows: list[Mailing]) -> Iterator[tuple[Mailing, Made]]:
        """A mail that can't be made is a fault of ours, and must not keep the others of its batch from being sent."""
        left = {row.pk: row for row in rows}
        try:
            for mailing, made in kind.make(rows, now()):
                left.pop(mailing.pk, None)
                yield mailing, made
        except Exception:
            if len(rows) == 1:
                logger.exception("Mailing %s could not be made.", rows[0].pk)
                self._later(rows[0], "It could not be made: a fault of ours.", FailReason.FAULT)
                return
            for row in list(left.values()):
                yield from self._made(kind, [row])

    def _one(self, mailing: Mailing, made: Made) -> str | None:
        """Send one. A sentence when the mail server can't be used at all."""
        if isinstance(made, SkipReason):
            self._finish(mailing, made)
            return None
        try:
            self._client.ready()
        except Exception as error:
            sentence = handing_over.reading(error, begun=False).sentence
            self._later(mailing, sentence)
            return sentence
        if not mailings.begin(mailing, str(made.subject), now()):
            return None
        try:
            self._client.send_once(made)
        except Exception as error:
            self._not_taken(mailing, handing_over.reading(error, begun=True))
        else:
            self.sent += 1
            self._finish(mailing, None)
        return None

    def _not_taken(self, mailing: Mailing, handed: handing_over.Handed) -> None:
        if handed.bounced:
            mark_bounced(mailing.recipient, AddressBounce.Kind.BOUNCED, handed.sentence)
        if handed.outcome is Outcome.LATER:
            self._later(mailing, handed.sentence)
        elif handed.outcome is Outcome.REFUSED:
            self._finish(mailing, FailReason.REFUSED, handed.sentence)
        else:
            self._finish(mailing, FailReason.INTERRUPTED, handed.sentence)

    def _later(self, mailing: Mailing, sentence: str, last: FailReason = FailReason.MAIL_SERVER) -> None:
        with transaction.atomic():
            if mailings.try_later(mailing, now(), sentence, last):
                self._kinds[MailingKind(mailing.kind)].finished(mailing)

    def _finish(self, mailing: Mailing, reason: SkipReason | FailReason | None, detail: str = "") -> None:
        with transaction.atomic():
            if reason is None:
                done = mailings.sent(mailing, now())
            elif isinstance(reason, SkipReason):
                done = mailings.skip(mailing, reason, now())
            else:
                done = mailings.fail(mailing, reason, now(), detail)
            if done:
                self._kinds[MailingKind(mailing.kind)].finished(mailing)

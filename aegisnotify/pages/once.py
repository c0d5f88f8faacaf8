"""A form that makes something makes it once: not again by a second click, nor by the back button and another click.

The form carries a number of its own (`components/once.html`). JavaScript stops most second clicks; this is for whoever
has none, and for the same answers sent again later. Other answers in the same form are another wish.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpRequest

logger = logging.getLogger(__name__)

FIELD = "once"
REMEMBERED = timedelta(days=1)
AGAIN = "This form was sent twice, so it was done once."


class SentAgain(Exception):
    """The same form with the same answers was sent before, and did or still does what it is for."""


@contextmanager
def once(request: HttpRequest) -> Iterator[None]:
    """Around what the form does. Raises `SentAgain`; what is refused inside may be sent again.

    While the cache is broken everything is done: two of a thing are less bad than none.
    """
    key = _key(request)
    if not key:
        yield
        return
    try:
        first = cache.add(key, 1, timeout=int(REMEMBERED.total_seconds()))
    except Exception as error:
        logger.warning("The cache fails, so a form may be taken twice: %s", type(error).__name__)
        first = True
    if not first:
        raise SentAgain
    try:
        yield
    except BaseException:
        _forget(key)
        raise


def _key(request: HttpRequest) -> str:
    number = request.POST.get(FIELD, "")
    if not number:
        return ""
    answers = sorted((name, request.POST.getlist(name)) for name in request.POST if name != "csrfmiddlewaretoken")
    text = urlencode([("path", request.path), ("user", str(request.user.pk)), *answers], doseq=True)
    return f"form:{hashlib.sha256(text.encode()).hexdigest()}"


def _forget(key: str) -> None:
    try:
        cache.delete(key)
    except Exception as error:
        logger.warning("The cache fails, so a form can't be sent again: %s", type(error).__name__)

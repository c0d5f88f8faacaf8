"""Forms that are sent twice, by a second click or by the back button and another one.

JavaScript stops most second clicks; this is for whoever has none, and for the same answers sent again later.

One that makes something makes it once (`once`). It carries a number of its own (`components/once.html`); other answers
in the same form are another wish. One that takes something away finds nothing the second time (`takes_away`).
"""

import functools
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect

logger = logging.getLogger(__name__)

FIELD = "once"
REMEMBERED = timedelta(days=1)
AGAIN = "This form was sent twice, so it was done once."
ALREADY = "That was done already."
# In the session: the address of the form that took something away last, and where it led.
_LAST = "taken_away"


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


def takes_away(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For a page whose form takes away what its address needs: the 404 of its second sending leads where the first led.

    Only for whoever sent the first, so nobody learns what there is.
    """

    @functools.wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            address, led_to = request.session.get(_LAST, ("", ""))
            if address != request.get_full_path():
                raise
            messages.info(request, ALREADY)
            return redirect(led_to)
        if response.status_code == 302:
            request.session[_LAST] = (request.get_full_path(), response.headers["Location"])
        return response

    return page


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

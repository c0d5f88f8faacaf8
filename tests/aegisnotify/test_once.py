"""Forms that are sent twice."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache

from aegisnotify.pages.once import SentAgain, once


@pytest.fixture(autouse=True)
def nothing_sent_yet():
    cache.clear()


@pytest.fixture
def post(rf):
    def post(path="/things/", user=None, **answers):
        request = rf.post(path, answers)
        request.user = user or AnonymousUser()
        return request

    return post


def test_the_same_form_with_the_same_answers_is_taken_once(post):
    with once(post(once="n1", name="a")):
        pass
    with pytest.raises(SentAgain), once(post(once="n1", name="a", csrfmiddlewaretoken="another")):
        pytest.fail("It was done twice.")


def test_also_while_the_first_is_still_being_done(post):
    with once(post(once="n1", name="a")), pytest.raises(SentAgain), once(post(once="n1", name="a")):
        pytest.fail("It was done twice.")


@pytest.mark.parametrize(
    "other",
    [{"once": "n2", "name": "a"}, {"once": "n1", "name": "b"}, {"once": "n1", "name": "a", "path": "/others/"}],
)
def test_another_form_or_other_answers_are_another_wish(post, other):
    with once(post(once="n1", name="a")):
        pass
    with once(post(**other)):
        pass


def test_what_was_refused_may_be_sent_again(post):
    with pytest.raises(ValueError, match="refused"), once(post(once="n1")):
        raise ValueError("refused")
    with once(post(once="n1")):
        pass


def test_a_form_without_a_number_is_always_taken(post):
    for _ in range(2):
        with once(post(name="a")):
            pass


def test_while_the_cache_is_broken_everything_is_done(post, monkeypatch):
    def broken(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(cache, "add", broken)
    monkeypatch.setattr(cache, "delete", broken)
    for _ in range(2):
        with once(post(once="n1")):
            pass
    with pytest.raises(ValueError, match="refused"), once(post(once="n1")):
        raise ValueError("refused")

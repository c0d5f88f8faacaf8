"""Showing a webhook's secret."""

import pytest
from django.core.cache import cache

from notifications.models import Channel
from notifications.services.channels import rotate_secret
from notifications.services.secrets import reveal_secret
from projects.actors import SYSTEM, Actor, Source, person
from projects.errors import Conflict, Forbidden, Invalid, TooMany
from projects.models import AuditEntry
from projects.services.accounts import PASSWORD_TRIES, check_password
from tests import factories

pytestmark = pytest.mark.django_db

TRIES, _ = PASSWORD_TRIES


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()


@pytest.fixture
def user():
    return factories.UserFactory()


@pytest.fixture
def hook():
    return factories.ChannelFactory()


def on_page(user):
    return person(user, Source.PAGE, "203.0.113.7")


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_the_right_password_shows_it_and_is_logged(user, hook):
    revealed = reveal_secret(on_page(user), hook, factories.PASSWORD)
    assert revealed.current.text == hook.config["secret"]
    assert not revealed.current.differs
    assert revealed.staged is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.address) == ("channel.secret_revealed", user, "203.0.113.7")


def test_a_staged_one_comes_with_it(user, hook):
    staged = rotate_secret(SYSTEM, hook, secret="correct-horse-battery")
    assert staged.secret is None
    revealed = reveal_secret(on_page(user), hook, factories.PASSWORD)
    assert revealed.staged.text == "correct-horse-battery"
    assert revealed.staged.standard == "whsec_Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"


def test_one_whose_grace_period_is_over_is_the_current_one(user, hook):
    rotate_secret(SYSTEM, hook, secret="correct-horse-battery", grace_hours=0)
    revealed = reveal_secret(on_page(user), Channel.objects.get(), factories.PASSWORD)
    assert (revealed.current.text, revealed.staged) == ("correct-horse-battery", None)


@pytest.mark.parametrize("password", ["guess", "", None, 5])
def test_a_wrong_password_shows_nothing_and_is_logged(user, hook, password):
    with pytest.raises(Invalid):
        reveal_secret(on_page(user), hook, password)
    assert actions() == ["channel.secret_refused"]


def test_after_ten_wrong_ones_the_right_one_waits_too(user, hook):
    for _ in range(TRIES):
        with pytest.raises(Invalid):
            reveal_secret(on_page(user), hook, "guess")
    with pytest.raises(TooMany):
        reveal_secret(on_page(user), hook, factories.PASSWORD)
    assert actions() == ["channel.secret_refused"] * TRIES
    assert reveal_secret(on_page(factories.UserFactory()), hook, factories.PASSWORD)


def test_a_try_counts_once_and_together_with_those_elsewhere(user, hook):
    for _ in range(TRIES - 1):
        with pytest.raises(Invalid):
            reveal_secret(on_page(user), hook, "guess")
    with pytest.raises(Invalid):
        check_password(user, "guess")
    with pytest.raises(TooMany):
        reveal_secret(on_page(user), hook, factories.PASSWORD)


def test_the_right_one_starts_the_count_anew(user, hook):
    for _ in range(2):
        for _ in range(TRIES - 2):
            with pytest.raises(Invalid):
                reveal_secret(on_page(user), hook, "guess")
        reveal_secret(on_page(user), hook, factories.PASSWORD)


@pytest.mark.parametrize("source", [Source.API, Source.ADMIN, Source.COMMAND])
def test_never_but_on_a_page(user, hook, source):
    with pytest.raises(Forbidden):
        reveal_secret(person(user, source), hook, factories.PASSWORD)
    with pytest.raises(Forbidden):
        reveal_secret(Actor("token ci", Source.PAGE), hook, factories.PASSWORD)


def test_a_chat_has_none(user):
    with pytest.raises(Conflict):
        reveal_secret(on_page(user), factories.ChannelFactory(kind="slack"), factories.PASSWORD)

"""The style guide shows every component, and only to developers."""

import pytest
from bs4 import BeautifulSoup

from aegisnotify.templatetags.aegis import STATES
from notifications import catalog
from notifications.channels import registry

pytestmark = pytest.mark.django_db


def test_it_is_there_in_debug_only(client, settings):
    assert client.get("/_styleguide").status_code == 404
    settings.DEBUG = True
    assert client.get("/_styleguide").status_code == 200


def test_it_has_every_state_kind_and_event_and_asks_no_query(client, settings, django_assert_num_queries):
    settings.DEBUG = True
    with django_assert_num_queries(0):
        page = BeautifulSoup(client.get("/_styleguide").content, "html.parser")
    words = page.get_text()
    assert all(word in words for _tone, _glyph, word in STATES.values())
    tiles = {name for tile in page.find_all(class_="tile") for name in tile["class"]}
    assert {kind.name for kind in registry.kinds()} | set(catalog.names()) <= tiles
    assert {name for cell in page.find_all(class_="tri") for name in cell["class"]} >= {
        "io",
        "if",
        "oo",
        "of",
        "locked",
    }

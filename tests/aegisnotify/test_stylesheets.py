"""What the stylesheets may weigh, and that they carry nothing that no page shows."""

import re

import pytest

from tests.stylesheets import BASE, ROOT, SHEETS, classes_of

PACKAGES = ("aegisnotify", "notifications", "projects", "digests")

_CLASS_ATTRIBUTE = re.compile(r'class="((?:\{%.*?%\}|\{\{.*?\}\}|\$\{.*?\}|[^"])*)"', re.DOTALL)
_QUOTED = re.compile(r"""(["'`])([\w -]*)\1""")
_TAG = re.compile(r"\{[%{](.*?)[%}]\}")
# Set by htmx while a request is under way.
_OF_OTHERS = {"htmx-request"}


@pytest.fixture(scope="module")
def shown() -> tuple[set[str], tuple[str, ...]]:
    """The words that may be a class somewhere, and the beginnings of those that a template puts together."""
    words: set[str] = set()
    beginnings: set[str] = set()
    for template in ROOT.glob("templates/**/*.html"):
        text = template.read_text()
        for attribute in _CLASS_ATTRIBUTE.findall(text):
            words.update(re.findall(r"[\w-]+", attribute))
            beginnings.update(re.findall(r"([a-z]+-)\{\{", attribute))
        for tag in _TAG.findall(text):
            words.update(word for _, said in _QUOTED.findall(tag) for word in said.split())
    scripts = [*ROOT.glob("static/aegis/*.js"), *(file for name in PACKAGES for file in ROOT.glob(f"{name}/**/*.py"))]
    for script in scripts:
        text = script.read_text()
        words.update(word for _, said in _QUOTED.findall(text) for word in said.split())
        for attribute in _CLASS_ATTRIBUTE.findall(text):
            words.update(re.findall(r"[\w-]+", attribute))
    return words, tuple(beginnings)


def test_the_sheet_that_every_page_loads_stays_under_45_kilobytes():
    assert BASE.stat().st_size < 45_000


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_no_sheet_styles_a_class_that_is_used_nowhere(sheet, shown):
    words, beginnings = shown
    unused = {name for name in classes_of(sheet) - words - _OF_OTHERS if not name.startswith(beginnings)}
    assert unused == set()

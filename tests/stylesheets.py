"""The stylesheets as tests read them: which classes each of them styles."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
BASE = ROOT / "static/aegis/app.css"
# The admin's sheet styles Django's own pages.
SHEETS = sorted(sheet for sheet in ROOT.glob("static/aegis/*.css") if sheet.name != "admin.css")


@cache
def classes_of(sheet: Path) -> frozenset[str]:
    text = re.sub(r"/\*.*?\*/|url\(.*?\)", "", sheet.read_text(), flags=re.DOTALL)
    selectors = (rule for rule in re.findall(r"([^{};]+)\{", text) if not rule.strip().startswith("@"))
    return frozenset(name for selector in selectors for name in re.findall(r"\.([a-z][\w-]*)", selector))


def unstyled(html: str) -> set[str]:
    """Classes on a page that some sheet styles, but none of those that the page loads."""
    loaded = {sheet for sheet in SHEETS if f"/{sheet.name}" in html}
    shown = {name for said in re.findall(r'class="([^"]*)"', html) for name in said.split()}
    styled = frozenset().union(*map(classes_of, SHEETS))
    return (shown & styled).difference(*map(classes_of, loaded))

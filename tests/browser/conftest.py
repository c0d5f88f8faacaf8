"""A real browser against a live server. `AEGIS_SCREENSHOTS=<folder>` keeps a picture of every page looked at."""

import itertools
import json
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from tests import factories

# Playwright's sync API runs an event loop in this thread, which Django takes for an async context.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
AXE = Axe().axe_script
# Milliseconds: for a page on a machine that does other things too. What comes sooner is not waited for.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
# In the dark only what depends on colours is asked again: the rest is the same document.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing, and in CI the browser tests have to run.")
        pytest.skip("Chromium is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


_RUN_AXE = """async only => {
    const { violations } = await axe.run({ runOnly: only, resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) => [id, help, nodes.map(node => [node.html, node.failureSummary])]);
}"""


class Visitor:
    """A browser window that remembers everything its console complained about."""

    def __init__(self, browser, address):
        self.address = address
        self.context = browser.new_context(reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._under_way = set()
        self.page.on("request", lambda request: self._under_way.add(request))
        self.page.on("requestfinished", lambda request: self._under_way.discard(request))
        self.page.on("requestfailed", lambda request: self._under_way.discard(request))

    def _note(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def sign_in(self, user):
        self._take_session(user)
        self.page.goto(f"{self.address}/")

    def open(self, user, path):
        """The page at `path`, as `user` sees it."""
        self._take_session(user)
        self.page.goto(f"{self.address}{path}")
        return self.page

    def _take_session(self, user):
        """One that the server made; signing in by the form has tests of its own."""
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        self.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.address}]
        )

    def settle(self):
        """Wait until nothing has been asked of the server for a while. (That the network is idle holds for good once it
        has held for a document.)"""
        quiet = 0
        while quiet < 6:
            self.page.wait_for_timeout(50)
            quiet = 0 if self._under_way else quiet + 1

    def look_at(self, name, *, tall=False):
        """Everything that every page must hold, wide and narrow, light and dark.

        `tall`: in a window as high as the page, for one with a bar that sticks to the window's lower edge: whatever
        happens to lie half under it counts as too small to be hit.
        """
        assert self.complaints == []
        # Asked first, and once per document: axe and pictures leave styles and ids behind.
        if not self.page.evaluate("Boolean(window.lookedAt)"):
            assert self.page.evaluate("document.querySelectorAll('[style], style').length") == 0
        self.page.evaluate("window.lookedAt = true")
        doubled = "ids => ids.filter((id, i) => ids.indexOf(id) !== i)"
        assert self.page.evaluate(f"({doubled})([...document.querySelectorAll('[id]')].map(e => e.id))") == []
        assert self.page.evaluate("document.querySelectorAll('a a, a button, button a, button button').length") == 0
        for width, scheme in itertools.product(WIDTHS, SCHEMES):
            where = f"{name} at {width} px, {scheme}"
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)
            # Where the page is scrolled, what lies under the sticky bar counts as too small to be hit.
            self.page.evaluate("scrollTo(0, 0)")
            if tall:
                height = self.page.evaluate("document.documentElement.scrollHeight")
                self.page.set_viewport_size({"width": width, "height": height})
            self._picture(f"{name}-{width}-{scheme}")
            wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{where}: {wider} px wider than the window"
            found = self._violations(AXE_RULES if scheme == "light" else None)
            assert found == [], f"{where}: {json.dumps(found, indent=2)}"

    def _violations(self, tags):
        """What axe finds: by rules with these tags, or by those about colours."""
        if not self.page.evaluate("Boolean(window.axe)"):
            self.page.evaluate(AXE)
        only = {"type": "tag", "values": tags} if tags else {"type": "rule", "values": COLOUR_RULES}
        return self.page.evaluate(_RUN_AXE, only)

    def _picture(self, name):
        folder = os.environ.get("AEGIS_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.fixture(autouse=True)
def nothing_counted_yet():
    """Neither tries to sign in nor tests of a channel, which are limited by the minute."""
    cache.clear()


@pytest.fixture
def owner(db):
    return factories.UserFactory(email="lena@acme.example", name="Lena Ortiz")


@pytest.fixture
def project(owner):
    workspace = factories.WorkspaceFactory(name="Acme QA", slug="acme", owner=owner, plan_code="pro")
    return factories.ProjectFactory(workspace=workspace, name="Acme Web", slug="acme-web")


@pytest.fixture
def visitor(browser, live_server):
    visitor = Visitor(browser, live_server.url)
    yield visitor
    visitor.context.close()


@pytest.fixture
def plain(browser, live_server):
    """A browser without JavaScript."""
    visitor = Visitor(browser, live_server.url)
    visitor.context.close()
    visitor.context = browser.new_context(java_script_enabled=False)
    visitor.context.set_default_timeout(PATIENCE)
    visitor.page = visitor.context.new_page()
    yield visitor
    visitor.context.close()


@pytest.fixture
def finger(browser, live_server):
    """A phone."""
    visitor = Visitor(browser, live_server.url)
    visitor.context.close()
    visitor.context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visitor.context.set_default_timeout(PATIENCE)
    visitor.page = visitor.context.new_page()
    yield visitor
    visitor.context.close()


@pytest.fixture
def receiver(settings):
    """An endpoint on this machine. It answers 200 to /good and 500 to everything else."""
    settings.AEGIS_ALLOW_PRIVATE_TARGETS = True

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = (200, b"thanks") if self.path.startswith("/good") else (500, b"out of order")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()

"""A webhook's secret: showing, staging and activating it."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache

from aegisnotify.clock import now
from notifications.models import Channel
from notifications.services.channels import rotate_secret
from projects.actors import SYSTEM
from projects.models import AuditEntry
from tests import factories

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()


@pytest.fixture
def hook(project):
    return factories.ChannelFactory(project=project, key="hook", name="Ops dashboard")


@pytest.fixture
def admin(client, people):
    client.force_login(people.admin)
    return client


def at(channel, action):
    return f"/p/acme-web/channels/{channel.pk}/{action}?ws=acme"


def html(response):
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


class TestShowing:
    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_it_takes_the_password(self, admin, hook, extra):
        secret = hook.config["secret"]
        assert secret not in admin.get(at(hook, "reveal"), **extra).content.decode()
        response = admin.post(at(hook, "reveal"), {"password": factories.PASSWORD}, **extra)
        assert html(response).find(id="secret")["value"] == secret
        assert "no-store" in response["Cache-Control"]

    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_a_wrong_one_shows_nothing(self, admin, hook, extra):
        response = admin.post(at(hook, "reveal"), {"password": "guess"}, **extra)
        assert response.status_code == 400
        assert "This is not your password." in text(html(response).find(id="id_password_error"))
        assert hook.config["secret"] not in response.content.decode()
        assert "guess" not in response.content.decode()

    def test_after_ten_wrong_ones_the_right_one_waits_too(self, admin, hook):
        for _ in range(10):
            admin.post(at(hook, "reveal"), {"password": "guess"})
        response = admin.post(at(hook, "reveal"), {"password": factories.PASSWORD})
        assert response.status_code == 429
        assert response["Retry-After"] == "900"
        assert hook.config["secret"] not in response.content.decode()

    def test_a_pasted_one_is_shown_for_standard_webhooks_libraries_too(self, admin, project):
        hook = factories.ChannelFactory(
            project=project, config={"url": "https://hooks.example.com/a", "secret": "correct-horse-battery"}
        )
        page = html(admin.post(at(hook, "reveal"), {"password": factories.PASSWORD}))
        assert page.find(id="secret")["value"] == "correct-horse-battery"
        assert page.find(id="secret-standard")["value"] == "whsec_Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"

    def test_a_staged_one_is_shown_beside_it(self, admin, hook):
        rotate_secret(SYSTEM, hook)
        page = html(admin.post(at(hook, "reveal"), {"password": factories.PASSWORD}))
        assert page.find(id="next-secret")["value"] == Channel.objects.get().config["next_secret"]

    def test_chats_have_none(self, admin, project):
        chat = factories.ChannelFactory(project=project, kind="slack")
        for action in ("reveal", "rotate", "activate"):
            assert admin.get(at(chat, action)).status_code == 404


class TestRotating:
    @pytest.mark.parametrize("extra", [{}, HTMX])
    def test_a_generated_one_is_shown_once(self, admin, hook, extra):
        response = admin.post(at(hook, "rotate"), {"secret": "", "grace_hours": "24"}, **extra)
        row = Channel.objects.get()
        page = html(response)
        assert response.status_code == 200
        assert page.find(id="staged-secret")["value"] == row.config["next_secret"]
        assert "X-AegisRunner-Signature-Next" in text(page)
        assert hook.config["secret"] not in response.content.decode()
        assert timedelta(hours=23) < row.secret_activates_at - now() <= timedelta(hours=24)
        listed = admin.get("/p/acme-web/config/integrations/notifications/?ws=acme")
        assert row.config["next_secret"] not in listed.content.decode()
        assert "A new secret is staged" in text(html(listed).find("article"))

    def test_with_htmx_the_card_behind_the_dialog_is_new_too(self, admin, hook):
        response = admin.post(at(hook, "rotate"), {"grace_hours": "1"}, **HTMX)
        behind = html(response).find(id="channels")
        assert behind["hx-swap-oob"] == "outerHTML"
        assert behind.find(id=f"activate-{hook.pk}") is not None

    def test_a_pasted_one_is_not_repeated(self, admin, hook):
        response = admin.post(at(hook, "rotate"), {"secret": "correct-horse-battery", "grace_hours": "0"})
        assert "correct-horse-battery" not in response.content.decode()
        assert Channel.objects.get().config["next_secret"] == "correct-horse-battery"

    @pytest.mark.parametrize(
        ("data", "field"),
        [({"secret": "short", "grace_hours": "1"}, "id_secret"), ({"grace_hours": "9999"}, "id_grace_hours")],
    )
    def test_errors_stand_beside_their_fields(self, admin, hook, data, field):
        response = admin.post(at(hook, "rotate"), data)
        assert response.status_code == 400
        assert html(response).find(id=field)["aria-invalid"] == "true"

    def test_one_at_a_time(self, admin, hook):
        rotate_secret(SYSTEM, hook)
        response = admin.post(at(hook, "rotate"), {"grace_hours": "1"}, **HTMX)
        assert response.status_code == 409
        assert "staged already" in text(html(response).find(role="alert"))

    def test_then_it_is_activated(self, admin, hook):
        rotate_secret(SYSTEM, hook)
        staged = Channel.objects.get().config["next_secret"]
        assert "only the new secret signs" in text(html(admin.get(at(hook, "activate"))).find("main"))
        response = admin.post(at(hook, "activate"), follow=True)
        assert "The new secret of Ops dashboard is active." in text(html(response).select_one("#flash"))
        assert Channel.objects.get().config["secret"] == staged

    def test_without_a_staged_one_there_is_nothing_to_activate(self, admin, hook):
        assert admin.post(at(hook, "activate"), **HTMX).status_code == 409


def test_no_secret_reaches_the_audit_log(admin, hook):
    admin.post(at(hook, "rotate"), {"secret": "correct-horse-battery", "grace_hours": "24"})
    admin.post(at(hook, "reveal"), {"password": factories.PASSWORD})
    admin.post(at(hook, "reveal"), {"password": "wrong-password"})
    admin.post(at(hook, "activate"))
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [entry.action for entry in entries] == [
        "channel.secret_staged",
        "channel.secret_revealed",
        "channel.secret_refused",
        "channel.secret_activated",
    ]
    logged = " ".join(str(entry.changes) + entry.target_label for entry in entries)
    for secret in (hook.config["secret"], "correct-horse-battery", "wrong-password", factories.PASSWORD):
        assert secret not in logged

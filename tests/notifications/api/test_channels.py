"""Channels: create, read, change, delete, test; rotating a webhook's secret."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest
import responses
import time_machine

from aegisnotify.clock import now
from notifications.delivery import targets
from notifications.models import AddressBounce, Channel, Delivery, OptOut
from projects.models import AuditEntry
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

CHANNELS = "/projects/acme-web/channels"
SLACK = factories.CONFIGS["slack"]["url"]
HOOK = factories.CONFIGS["webhook"]["url"]
SECRET = factories.CONFIGS["webhook"]["secret"]


@pytest.fixture(autouse=True)
def _public_names(monkeypatch):
    monkeypatch.setattr(targets, "resolve", lambda host, port: [(2, 1, 6, "", ("93.184.215.14", port))])


@pytest.fixture
def hook(project):
    return factories.ChannelFactory(project=project, key="hook", name="CI hook")


def put_on_plan(workspace, code):
    workspace.plan = factories.plan(code)
    workspace.save()


# --- Reading


def test_a_channel_has_the_documented_shape(api, hook):
    factories.OverrideFactory(channel=hook, event="run_completed", enabled=True)
    body = api.get(f"{CHANNELS}/hook").json()
    assert body == {
        "id": str(hook.pk),
        "key": "hook",
        "kind": "webhook",
        "name": "CI hook",
        "enabled": True,
        "position": 0,
        "target": "hooks.example.com/…",
        "recipients": [],
        "mode": "immediate",
        "digest_time": None,
        "health": "healthy",
        "suspended_reason": None,
        "paused_until": None,
        "over_plan_limit": False,
        "overrides": {"run_completed": True},
        "secret_activates_at": None,
        "last_delivered_at": None,
        "last_error": None,
        "last_error_at": None,
        "created_at": hook.created_at.isoformat().replace("+00:00", "Z"),
    }
    listed = api.get(CHANNELS).json()
    assert (listed["total"], listed["results"]) == (1, [body])


def test_secrets_are_never_read(api, hook, project):
    factories.ChannelFactory(project=project, kind="slack", key="slack")
    text = api.get(CHANNELS).content.decode() + api.get(f"{CHANNELS}/slack").content.decode()
    for secret in (SECRET, HOOK, SLACK, "slacksecret"):
        assert secret not in text
    assert api.get(f"{CHANNELS}/slack").json()["target"] == "hooks.slack.com/…cret"


def test_channels_are_listed_in_their_order_in_pages(api, project):
    for key, position in (("c", 2), ("a", 0), ("b", 1)):
        factories.ChannelFactory(project=project, kind="email", key=key, position=position)
    factories.ChannelFactory(kind="email", key="foreign")
    assert [row["key"] for row in api.get(CHANNELS).json()["results"]] == ["a", "b", "c"]
    second = api.get(CHANNELS, page=2, page_size=2).json()
    assert (second["total"], [row["key"] for row in second["results"]]) == (3, ["c"])
    assert "page_size" in fields_of(api.get(CHANNELS, page_size=500))


MOMENT = datetime(2026, 4, 28, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "health"),
    [
        ({}, "healthy"),
        ({"last_success_at": MOMENT}, "healthy"),
        ({"last_error_at": MOMENT, "last_error": "Busy."}, "healthy"),
        ({"failures_in_a_row": 1, "last_error_at": MOMENT, "last_error": "Busy."}, "failing"),
        ({"suspended_at": MOMENT, "suspended_reason": "Gone."}, "suspended"),
        ({"suspended_at": MOMENT, "failures_in_a_row": 4}, "suspended"),
        ({"enabled": False, "failures_in_a_row": 1}, "failing"),
    ],
)
def test_health_is_what_its_target_said(api, hook, state, health):
    Channel.objects.filter(pk=hook.pk).update(**state)
    body = api.get(f"{CHANNELS}/hook").json()
    assert body["health"] == health
    assert body["last_error"] == (state.get("last_error") or None)
    assert body["suspended_reason"] == (state.get("suspended_reason") or None)
    assert body["last_delivered_at"] == ("2026-04-28T10:00:00Z" if "last_success_at" in state else None)


def test_a_pause_is_shown_until_it_ends(api, hook):
    with time_machine.travel(MOMENT, tick=False):
        Channel.objects.filter(pk=hook.pk).update(paused_until=MOMENT + timedelta(hours=1))
        assert api.get(f"{CHANNELS}/hook").json()["paused_until"] == "2026-04-28T11:00:00Z"
    with time_machine.travel(MOMENT + timedelta(hours=1), tick=False):
        assert api.get(f"{CHANNELS}/hook").json()["paused_until"] is None


def test_what_the_plan_does_not_carry_is_marked(api, workspace, project):
    put_on_plan(workspace, "starter")
    for position, key in enumerate(["one", "two", "off"]):
        factories.ChannelFactory(project=project, key=key, position=position, enabled=key != "off")
    marked = {row["key"]: row["over_plan_limit"] for row in api.get(CHANNELS).json()["results"]}
    assert marked == {"one": False, "two": True, "off": False}
    # On a page of its own it is judged beside all the others.
    assert api.get(CHANNELS, page=2, page_size=1).json()["results"][0]["over_plan_limit"] is True
    assert api.get(f"{CHANNELS}/two").json()["over_plan_limit"] is True


def test_recipients_have_the_state_of_their_address(api, people, project):
    channel = factories.ChannelFactory(project=project, kind="email", key="email")
    addresses = [people.admin.email, "new@example.org", "bounced@example.org", "tired@example.org"]
    for position, address in enumerate(addresses):
        factories.RecipientFactory(channel=channel, email=address, position=position)
    AddressBounce.objects.create(email="bounced@example.org", kind="bounced", at=now())
    OptOut.objects.create(project=project, email="tired@example.org", created_at=now())
    assert api.get(f"{CHANNELS}/email").json()["recipients"] == [
        {"email": people.admin.email, "state": "confirmed"},
        {"email": "new@example.org", "state": "unconfirmed"},
        {"email": "bounced@example.org", "state": "bounced"},
        {"email": "tired@example.org", "state": "unsubscribed"},
    ]


def test_without_recipients_it_is_the_owner(api, people, project):
    factories.ChannelFactory(project=project, kind="email", key="email")
    assert api.get(f"{CHANNELS}/email").json()["recipients"] == [{"email": people.owner.email, "state": "confirmed"}]
    people.owner.email_verified_at = None
    people.owner.save()
    assert api.get(CHANNELS).json()["results"][0]["recipients"] == [
        {"email": people.owner.email, "state": "unconfirmed"}
    ]


def test_the_number_of_queries_does_not_depend_on_the_number_of_channels(api, project, django_assert_num_queries):
    api.get(CHANNELS)
    for _ in range(2):
        for channel in factories.ChannelFactory.create_batch(4, project=project, kind="email"):
            factories.RecipientFactory(channel=channel)
        factories.ChannelFactory(project=project, kind="email")
        # Token, project; all channels, their recipients, the owner, states of addresses; count, page, overrides.
        with django_assert_num_queries(9):
            api.get(CHANNELS, page_size=200)


@pytest.mark.parametrize("path", [f"{CHANNELS}/none", "/projects/none/channels", "/projects/none/channels/hook"])
def test_what_is_unknown_is_not_found(api, hook, path):
    assert error_of(api.get(path)) == (404, "not_found")


def test_channels_of_other_workspaces_are_not_there(api, project):
    other = factories.ChannelFactory(key="theirs", project__slug="theirs")
    for name in ("theirs", str(other.project_id)):
        path = f"/projects/{name}/channels"
        assert error_of(api.get(path)) == (404, "not_found")
        assert error_of(api.post(path, {"kind": "email", "name": "Mine"})) == (404, "not_found")
        assert error_of(api.get(f"{path}/theirs")) == (404, "not_found")
        assert error_of(api.patch(f"{path}/theirs", {"name": "Mine"})) == (404, "not_found")
        assert error_of(api.delete(f"{path}/theirs")) == (404, "not_found")
        assert error_of(api.post(f"{path}/theirs/test", {"event": "run_failed"})) == (404, "not_found")
    assert Channel.objects.get().name == other.name


# --- Creating


def test_a_slack_channel_is_created(api, project):
    response = api.post(CHANNELS, {"kind": "slack", "name": "QA", "url": SLACK})
    assert response.status_code == 201
    body = response.json()
    assert (body["key"], body["kind"], body["name"], body["enabled"]) == ("slack", "slack", "QA", True)
    assert body["warnings"] == []
    assert "secret" not in body
    read = api.get(f"{CHANNELS}/slack").json()
    assert {**read, "warnings": []} == body
    assert AuditEntry.objects.get(action="channel.created").source == "api"


def test_a_generated_secret_is_in_this_answer_and_nowhere_else(api, project):
    created = api.post(CHANNELS, {"kind": "webhook", "name": "CI", "url": HOOK}).json()
    assert created["secret"].startswith("whsec_")
    assert Channel.objects.get().config["secret"] == created["secret"]
    assert "secret" not in api.get(f"{CHANNELS}/webhook").json()
    assert "secret" not in api.patch(f"{CHANNELS}/webhook", {"name": "New"}).json()
    assert created["secret"] not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_a_pasted_secret_is_not_repeated(api, project):
    created = api.post(CHANNELS, {"kind": "webhook", "name": "CI", "url": HOOK, "secret": "correct horse battery"})
    assert created.status_code == 201
    assert "secret" not in created.json()
    assert Channel.objects.get().config["secret"] == "correct horse battery"


def test_every_setting_is_taken(api, workspace):
    body = {
        "kind": "email",
        "name": "Team",
        "key": "mail-qa",
        "enabled": False,
        "position": 7,
        "recipients": ["Ops@Example.org"],
        "mode": "immediate",
        "digest_time": None,
    }
    created = api.post(CHANNELS, body).json()
    assert (created["key"], created["enabled"], created["position"]) == ("mail-qa", False, 7)
    assert created["recipients"] == [{"email": "ops@example.org", "state": "unconfirmed"}]


def test_a_classic_teams_connector_is_taken_with_a_warning(api, project):
    url = "https://acme.webhook.office.com/webhookb2/11111111-2222-3333-4444-555555555555@11111111-2222-3333-4444-555555555555/IncomingWebhook/0123456789abcdef0123456789abcdef/11111111-2222-3333-4444-555555555555"
    response = api.post(CHANNELS, {"kind": "teams", "name": "QA", "url": url})
    assert response.status_code == 201
    assert len(response.json()["warnings"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "slack", "url": SLACK}, "name"),
        ({"kind": "pigeon", "name": "QA"}, "kind"),
        ({"kind": ["slack"], "name": "QA"}, "kind"),
        ({"kind": "slack", "name": "QA"}, "url"),
        ({"kind": "slack", "name": "QA", "url": 5}, "url"),
        ({"kind": "slack", "name": "QA", "url": "https://example.com/services/T/B/x"}, "url"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "secret": "x" * 20}, "secret"),
        ({"kind": "slack", "name": "", "url": SLACK}, "name"),
        ({"kind": "slack", "name": "x" * 81, "url": SLACK}, "name"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "key": "not a slug"}, "key"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "enabled": "yes"}, "enabled"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "position": "1"}, "position"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "position": -1}, "position"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "colour": "red"}, "colour"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "actor": "me"}, "actor"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "project": "shop"}, "project"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "health": "healthy"}, "health"),
        ({"kind": "webhook", "name": "CI", "url": HOOK, "secret": "short"}, "secret"),
        ({"kind": "webhook", "name": "CI", "url": HOOK, "secret": " padded-with-spaces "}, "secret"),
        ({"kind": "webhook", "name": "CI", "url": "http://hooks.example.com/a"}, "url"),
        ({"kind": "webhook", "name": "CI", "url": "https://127.0.0.1/a"}, "url"),
        ({"kind": "webhook", "name": "CI", "url": "https://169.254.169.254/latest"}, "url"),
        ({"kind": "email", "name": "Mail", "url": HOOK}, "url"),
        ({"kind": "email", "name": "Mail", "recipients": "a@example.org"}, "recipients"),
        ({"kind": "email", "name": "Mail", "recipients": ["nobody"]}, "recipients"),
        ({"kind": "email", "name": "Mail", "recipients": [5]}, "recipients.0"),
        ({"kind": "email", "name": "Mail", "recipients": [f"a{n}@example.org" for n in range(21)]}, "recipients"),
        ({"kind": "email", "name": "Mail", "mode": "weekly"}, "mode"),
        ({"kind": "email", "name": "Mail", "mode": "daily_digest", "digest_time": "9:00"}, "digest_time"),
        ({"kind": "email", "name": "Mail", "mode": "immediate", "digest_time": "09:00"}, "digest_time"),
        ({"kind": "slack", "name": "QA", "url": SLACK, "mode": "daily_digest"}, "mode"),
        ({"kind": "email", "name": "Mail", "mode": {}}, "mode"),
    ],
)
def test_a_bad_channel_names_the_field_and_is_not_created(api, project, body, field):
    assert field in fields_of(api.post(CHANNELS, body))
    assert not Channel.objects.exists()


def test_a_taken_key_is_a_conflict(api, hook):
    response = api.post(CHANNELS, {"kind": "email", "name": "Mail", "key": "hook"})
    assert error_of(response) == (409, "conflict")
    assert Channel.objects.count() == 1


def test_over_the_plan_only_a_channel_that_is_off_is_created(api, workspace, project):
    put_on_plan(workspace, "free")
    body = {"kind": "slack", "name": "QA", "url": SLACK}
    response = api.post(CHANNELS, body)
    assert error_of(response) == (402, "plan_limit")
    assert response.json()["error"]["details"] == {"limit": "chat_channels", "allowed": 0, "used": 0, "plan": "free"}
    assert not Channel.objects.exists()
    assert api.post(CHANNELS, body | {"enabled": False}).status_code == 201
    assert error_of(api.patch(f"{CHANNELS}/slack", {"enabled": True})) == (402, "plan_limit")
    put_on_plan(workspace, "starter")
    assert api.patch(f"{CHANNELS}/slack", {"enabled": True}).json()["enabled"] is True


# --- Changing and deleting


def test_what_is_not_given_keeps_its_value(api, hook):
    response = api.patch(f"{CHANNELS}/hook", {"name": "New", "position": 3})
    assert response.status_code == 200
    body = response.json()
    assert (body["name"], body["position"], body["key"], body["enabled"]) == ("New", 3, "hook", True)
    hook.refresh_from_db()
    assert hook.config == factories.CONFIGS["webhook"]
    assert AuditEntry.objects.get(action="channel.updated").changes == {"name": ["CI hook", "New"], "position": [0, 3]}


def test_the_key_and_the_url_can_be_changed(api, hook):
    url = "https://hooks.example.org/other/abcdefgh"
    body = api.patch(f"{CHANNELS}/hook", {"key": "ci", "url": url}).json()
    assert (body["key"], body["target"]) == ("ci", "hooks.example.org/…efgh")
    assert error_of(api.get(f"{CHANNELS}/hook")) == (404, "not_found")
    assert Channel.objects.get().config["url"] == url


def test_recipients_are_replaced(api, project):
    channel = factories.ChannelFactory(project=project, kind="email", key="email")
    factories.RecipientFactory(channel=channel)
    body = api.patch(f"{CHANNELS}/email", {"recipients": ["b@example.org", "a@example.org"]}).json()
    assert [each["email"] for each in body["recipients"]] == ["b@example.org", "a@example.org"]
    owner = project.workspace.memberships.get().user
    body = api.patch(f"{CHANNELS}/email", {"recipients": []}).json()
    assert [each["email"] for each in body["recipients"]] == [owner.email]


def test_the_kind_stays(api, hook):
    assert set(fields_of(api.patch(f"{CHANNELS}/hook", {"kind": "slack", "name": "New"}))) == {"kind"}
    hook.refresh_from_db()
    assert hook.name == "CI hook"
    assert api.patch(f"{CHANNELS}/hook", {"kind": "webhook", "name": "New"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"enabled": None}, "enabled"),
        ({"url": None}, "url"),
        ({"target": "hooks.example.com/…"}, "target"),
        ({"channel": "hook"}, "channel"),
        ({"secret": "another secret altogether"}, "secret"),
        ({"recipients": []}, "recipients"),
        ({"url": "hooks.example.com/…wxyz"}, "url"),
    ],
)
def test_a_bad_change_names_the_field_and_changes_nothing(api, hook, body, field):
    assert field in fields_of(api.patch(f"{CHANNELS}/hook", {"position": 9} | body))
    hook.refresh_from_db()
    assert hook.position == 0


def test_a_key_taken_by_another_is_a_conflict(api, project, hook):
    factories.ChannelFactory(project=project, key="other")
    assert error_of(api.patch(f"{CHANNELS}/hook", {"key": "other"})) == (409, "conflict")
    assert api.patch(f"{CHANNELS}/hook", {"key": "hook"}).status_code == 200


def test_a_deleted_channel_is_gone_and_its_history_stays(api, hook):
    delivery = factories.DeliveryFactory(
        occurrence__project=hook.project, channel=hook, status="delivered", next_at=None
    )
    response = api.delete(f"{CHANNELS}/hook")
    assert (response.status_code, response.content) == (204, b"")
    assert error_of(api.get(f"{CHANNELS}/hook")) == (404, "not_found")
    assert error_of(api.delete(f"{CHANNELS}/hook")) == (404, "not_found")
    assert Delivery.objects.get().pk == delivery.pk
    assert AuditEntry.objects.filter(action="channel.deleted").count() == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_trailing_slash(api, hook, slash):
    assert api.get(f"{CHANNELS}{slash}").status_code == 200
    assert api.post(f"{CHANNELS}{slash}", {"kind": "email", "name": "Mail"}).status_code == 201
    assert api.get(f"{CHANNELS}/hook{slash}").status_code == 200
    assert api.patch(f"{CHANNELS}/hook{slash}", {"name": "New"}).status_code == 200
    assert error_of(api.post(f"{CHANNELS}/hook/test{slash}", {})) == (400, "invalid")
    assert api.post(f"{CHANNELS}/hook/rotate-secret{slash}").status_code == 200
    assert api.post(f"{CHANNELS}/hook/activate-secret{slash}").status_code == 200
    assert api.delete(f"{CHANNELS}/hook{slash}").status_code == 204


# --- Testing


@responses.activate
def test_a_test_shows_what_the_other_side_said(api, hook):
    responses.post(HOOK, body="thanks", status=200)
    response = api.post(f"{CHANNELS}/hook/test", {"event": "run_failed"})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"ok", "status_code", "response", "reading", "duration_ms"}
    assert (body["ok"], body["status_code"], body["response"]) == (True, 200, "thanks")
    assert "200" in body["reading"]
    sent = responses.calls[0].request
    assert json.loads(sent.body)["test"] is True
    assert sent.headers["X-AegisRunner-Event"] == "run_failed"
    assert not Delivery.objects.exists()


@responses.activate
def test_a_failed_test_is_an_answer_too(api, project):
    factories.ChannelFactory(project=project, kind="slack", key="slack")
    responses.post(SLACK, body="invalid_payload", status=400)
    body = api.post(f"{CHANNELS}/slack/test", {"event": "crawl_completed"}).json()
    assert (body["ok"], body["status_code"], body["response"]) == (False, 400, "invalid_payload")
    assert body["reading"]


@responses.activate
@pytest.mark.parametrize(
    "state",
    [
        {"enabled": False},
        {"paused_until": now() + timedelta(days=1)},
        {"suspended_at": MOMENT, "suspended_reason": "Gone.", "failures_in_a_row": 3},
    ],
)
def test_a_test_goes_out_while_the_channel_is_off_paused_or_suspended(api, project, state):
    channel = factories.ChannelFactory(project=project, kind="slack", key="slack", **state)
    responses.post(SLACK, body="ok")
    assert api.post(f"{CHANNELS}/slack/test", {"event": "run_completed"}).json()["ok"] is True
    assert api.get(f"{CHANNELS}/slack").json()["health"] == "healthy"
    channel.refresh_from_db()
    assert channel.suspended_at is None


@responses.activate
def test_a_failed_test_lifts_no_suspension(api, project):
    factories.ChannelFactory(project=project, kind="slack", key="slack", suspended_at=MOMENT)
    responses.post(SLACK, body="no_service", status=404)
    assert api.post(f"{CHANNELS}/slack/test", {"event": "run_completed"}).json()["ok"] is False
    assert api.get(f"{CHANNELS}/slack").json()["health"] == "suspended"


@responses.activate
def test_our_url_and_secret_are_scrubbed_from_the_answer(api, hook):
    responses.post(HOOK, body=f"you sent {SECRET} to {HOOK}", status=500)
    text = api.post(f"{CHANNELS}/hook/test", {"event": "run_failed"}).content.decode()
    assert SECRET not in text
    assert HOOK not in text


@pytest.mark.parametrize("body", [{}, {"event": "coffee_ready"}, {"event": None}, {"event": []}])
def test_a_test_needs_a_known_event(api, hook, body):
    assert set(fields_of(api.post(f"{CHANNELS}/hook/test", body))) == {"event"}


def test_a_test_takes_nothing_else(api, hook):
    body = {"event": "run_failed", "make_transport": "mine"}
    assert set(fields_of(api.post(f"{CHANNELS}/hook/test", body))) == {"make_transport"}


def test_over_the_plan_nothing_is_tested(api, workspace, hook):
    put_on_plan(workspace, "free")
    assert error_of(api.post(f"{CHANNELS}/hook/test", {"event": "run_failed"})) == (402, "plan_limit")


def test_an_unconfirmed_address_is_not_tested(api, project):
    channel = factories.ChannelFactory(project=project, kind="email", key="email")
    factories.RecipientFactory(channel=channel)
    assert error_of(api.post(f"{CHANNELS}/email/test", {"event": "run_failed"})) == (409, "conflict")


def test_an_email_test_reaches_the_owner(api, people, project, mailoutbox):
    factories.ChannelFactory(project=project, kind="email", key="email")
    body = api.post(f"{CHANNELS}/email/test", {"event": "run_failed"}).json()
    assert body["ok"] is True
    assert [message.to for message in mailoutbox] == [[people.owner.email]]


@responses.activate
def test_ten_tests_a_minute_are_enough(api, hook):
    responses.post(HOOK, body="ok")
    with time_machine.travel(MOMENT + timedelta(seconds=20), tick=False):
        for _ in range(10):
            assert api.post(f"{CHANNELS}/hook/test", {"event": "run_failed"}).status_code == 200
        response = api.post(f"{CHANNELS}/hook/test", {"event": "run_failed"})
        assert error_of(response) == (429, "rate_limited")
        assert response["Retry-After"] == "40"
        assert response.json()["error"]["details"] == {"retry_after": 40}
    with time_machine.travel(MOMENT + timedelta(minutes=1), tick=False):
        assert api.post(f"{CHANNELS}/hook/test", {"event": "run_failed"}).status_code == 200


# --- Rotating the secret


def test_a_generated_secret_is_staged_shown_once_and_activated(api, hook):
    with time_machine.travel(MOMENT, tick=False):
        staged = api.post(f"{CHANNELS}/hook/rotate-secret")
        assert staged.status_code == 200
        assert staged.json()["activates_at"] == "2026-04-29T10:00:00Z"
        new = staged.json()["secret"]
        assert new.startswith("whsec_")
        assert api.get(f"{CHANNELS}/hook").json()["secret_activates_at"] == "2026-04-29T10:00:00Z"
        hook.refresh_from_db()
        assert (hook.config["secret"], hook.config["next_secret"]) == (SECRET, new)

        activated = api.post(f"{CHANNELS}/hook/activate-secret")
        assert activated.status_code == 200
        assert activated.json() == api.get(f"{CHANNELS}/hook").json()
        assert activated.json()["secret_activates_at"] is None
        assert new not in activated.content.decode()
    hook.refresh_from_db()
    assert hook.config == {"url": HOOK, "secret": new}


def test_a_pasted_secret_and_its_grace_are_taken(api, hook):
    with time_machine.travel(MOMENT, tick=False):
        staged = api.post(f"{CHANNELS}/hook/rotate-secret", {"secret": "correct horse battery", "grace_hours": 2})
    assert staged.json() == {"activates_at": "2026-04-28T12:00:00Z"}


def test_one_can_be_staged_at_a_time(api, hook):
    assert error_of(api.post(f"{CHANNELS}/hook/activate-secret")) == (409, "conflict")
    assert api.post(f"{CHANNELS}/hook/rotate-secret").status_code == 200
    assert error_of(api.post(f"{CHANNELS}/hook/rotate-secret")) == (409, "conflict")
    assert api.post(f"{CHANNELS}/hook/activate-secret").status_code == 200
    assert api.post(f"{CHANNELS}/hook/rotate-secret", {"grace_hours": 0}).status_code == 200


def test_only_webhooks_have_a_secret(api, project):
    factories.ChannelFactory(project=project, kind="slack", key="slack")
    assert error_of(api.post(f"{CHANNELS}/slack/rotate-secret")) == (409, "conflict")
    assert error_of(api.post(f"{CHANNELS}/slack/activate-secret")) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"grace_hours": 169}, "grace_hours"),
        ({"grace_hours": -1}, "grace_hours"),
        ({"grace_hours": "24"}, "grace_hours"),
        ({"grace_hours": True}, "grace_hours"),
        ({"secret": "short"}, "secret"),
        ({"secret": 5}, "secret"),
        ({"secret": "whsec_not base64 at all"}, "secret"),
        ({"actor": "me"}, "actor"),
    ],
)
def test_a_bad_rotation_names_the_field_and_stages_nothing(api, hook, body, field):
    assert field in fields_of(api.post(f"{CHANNELS}/hook/rotate-secret", body))
    hook.refresh_from_db()
    assert hook.secret_activates_at is None


# --- Who may


READ, CONFIGURE, OPERATE = "read", "configure", "operate"
OPERATIONS = {
    "list": ("get", CHANNELS, None, READ),
    "read": ("get", f"{CHANNELS}/email", None, READ),
    "create": ("post", CHANNELS, {"kind": "email", "name": "Mail"}, CONFIGURE),
    "change": ("patch", f"{CHANNELS}/email", {"name": "New"}, CONFIGURE),
    "test": ("post", f"{CHANNELS}/email/test", {"event": "run_failed"}, OPERATE),
    "rotate": ("post", f"{CHANNELS}/hook/rotate-secret", {}, CONFIGURE),
    "activate": ("post", f"{CHANNELS}/hook/activate-secret", {}, CONFIGURE),
    "delete": ("delete", f"{CHANNELS}/email", None, CONFIGURE),
}
HOLDERS = {
    READ: {"owner", "admin", "member", "viewer"},
    OPERATE: {"owner", "admin", "member"},
    CONFIGURE: {"owner", "admin"},
}
SCOPES = {READ: Scope.SETTINGS_READ, OPERATE: Scope.DELIVERIES_WRITE, CONFIGURE: Scope.SETTINGS_WRITE}


def call(caller, method, path, body):
    return getattr(caller, method)(path) if method in ("get", "delete") else getattr(caller, method)(path, body)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer", "outsider"])
def test_the_role_decides(people, project, hook, role, operation):
    factories.ChannelFactory(project=project, kind="email", key="email")
    *request, right = operation
    response = call(signed_in(getattr(people, role)), *request)
    if role == "outsider":
        assert error_of(response) == (404, "not_found")
    elif role in HOLDERS[right]:
        # Nothing is staged, so there is nothing to activate.
        assert response.status_code == (409 if "activate" in request[1] else response.status_code)
        assert response.status_code in (200, 201, 204, 409)
    else:
        assert error_of(response) == (403, "forbidden")
        assert response.json()["error"]["message"].startswith("Only the owner")
        assert Channel.objects.count() == 2
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_each_operation_asks_for_its_scope(project, hook, operation):
    factories.ChannelFactory(project=project, kind="email", key="email")
    *request, right = operation
    others = (scope for scope in Scope if scope is not SCOPES[right])
    response = call(with_token(project.workspace, *others), *request)
    assert error_of(response) == (403, "forbidden")
    assert response.json()["error"]["details"] == {"scope": SCOPES[right].value}
    response = call(with_token(project.workspace, SCOPES[right], digest="aegis_right"), *request)
    assert response.status_code in (200, 201, 204, 409)


def test_a_token_of_one_project_configures_that_one_only(project):
    factories.ProjectFactory(workspace=project.workspace, slug="shop")
    api = with_token(project.workspace, project=project)
    assert api.post(CHANNELS, {"kind": "email", "name": "Mail"}).status_code == 201
    assert error_of(api.post("/projects/shop/channels", {"kind": "email", "name": "Mail"})) == (404, "not_found")
    assert error_of(api.get("/projects/shop/channels")) == (404, "not_found")


def test_a_digest_time_is_shown_in_hours_and_minutes(api, project):
    factories.ChannelFactory(
        project=project, kind="email", key="email", mode=Channel.Mode.DAILY_DIGEST, digest_time=time(9, 5)
    )
    body = api.get(f"{CHANNELS}/email").json()
    assert (body["mode"], body["digest_time"]) == ("daily_digest", "09:05")


def test_an_email_channel_starts_and_stops_collecting(api, project):
    body = {"kind": "email", "name": "Mornings", "mode": "daily_digest", "digest_time": "07:15"}
    made = api.post(CHANNELS, body).json()
    assert (made["mode"], made["digest_time"]) == ("daily_digest", "07:15")
    moved = api.patch(f"{CHANNELS}/email", {"digest_time": "09:00"}).json()
    assert (moved["mode"], moved["digest_time"]) == ("daily_digest", "09:00")
    back = api.patch(f"{CHANNELS}/email", {"mode": "immediate"}).json()
    assert (back["mode"], back["digest_time"]) == ("immediate", None)
    again = api.patch(f"{CHANNELS}/email", {"mode": "daily_digest"}).json()
    assert (again["mode"], again["digest_time"]) == ("daily_digest", "08:00")

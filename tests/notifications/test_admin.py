import re
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission

from aegisnotify.clock import now
from notifications.models import AddressBounce, Attempt, Channel, Delivery, EventFlag, Occurrence, OptOut, Override
from projects.actors import Source
from projects.models import AuditEntry
from tests import factories
from tests.admin_walk import SECRETS, address, fill, messages_of, models_of, opened


@pytest.fixture
def client(client, db):
    client.force_login(factories.UserFactory(email="staff@example.com", is_staff=True, is_superuser=True))
    return client


def last_entry(action):
    entry = AuditEntry.objects.get(action=action)
    assert (entry.source, entry.actor_label) == (Source.ADMIN, "staff@example.com")
    return entry


def finished(**fields):
    return factories.DeliveryFactory(status="failed", next_at=None, **fields)


def test_every_page_opens_with_as_many_queries_for_thirty_rows_as_for_three_and_without_secrets(client):
    fill(3)
    few = {model: opened(client, address(model, "changelist"))[1] for model in models_of("notifications")}
    fill(27, prefix="more")
    for model in models_of("notifications"):
        page, queries = opened(client, address(model, "changelist"))
        assert queries <= few[model], model
        assert queries <= 8, model
        for secret in SECRETS:
            assert secret not in page, model
        for row in model.objects.all()[:5]:
            page, queries = opened(client, address(model, "change", row.pk))
            assert queries <= 20, model
            for secret in SECRETS:
                assert secret not in page, model


@pytest.mark.parametrize("model", models_of("notifications"), ids=lambda model: model.__name__)
def test_nothing_is_added_here(client, model):
    assert client.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("model", [Attempt, Delivery, Occurrence, Override, EventFlag, AddressBounce, OptOut])
def test_history_and_filters_are_neither_changed_nor_deleted(client, model):
    fill(1)
    row = model.objects.all()[0]
    assert client.post(address(model, "change", row.pk), {"status": "delivered"}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("kind", factories.CONFIGS)
def test_a_channels_page_shows_its_target_masked(client, kind):
    channel = factories.ChannelFactory(kind=kind)
    page, _queries = opened(client, address(Channel, "change", channel.pk))
    for secret in SECRETS:
        assert secret not in page
    if kind == "webhook":
        assert "hooks.example.com" in page


def channel_form(**fields):
    return {"name": "Webhook", "enabled": "on", "position": 0} | fields


def test_a_channel_is_renamed_moved_and_switched_off_through_the_service(client):
    channel = factories.ChannelFactory(name="Webhook")
    form = channel_form(name="Orders", position=4)
    del form["enabled"]
    assert client.post(address(Channel, "change", channel.pk), form).status_code == 302
    channel.refresh_from_db()
    assert (channel.name, channel.enabled, channel.position) == ("Orders", False, 4)
    assert channel.config == factories.CONFIGS["webhook"]
    assert last_entry("channel.updated").changes == {
        "name": ["Webhook", "Orders"],
        "enabled": [True, False],
        "position": [0, 4],
    }


def test_switching_on_over_the_plan_is_refused_with_the_sentence(client):
    project = factories.ProjectFactory(workspace__plan_code="starter")
    factories.ChannelFactory(project=project)
    channel = factories.ChannelFactory(project=project, enabled=False, name="Webhook")
    response = client.post(address(Channel, "change", channel.pk), channel_form())
    assert response.status_code == 200
    assert "The Starter plan has 1 webhook per project" in response.content.decode()
    channel.refresh_from_db()
    assert not channel.enabled
    assert not AuditEntry.objects.exists()


def test_a_position_the_service_refuses_is_an_error_beside_the_field(client):
    channel = factories.ChannelFactory(name="Webhook")
    response = client.post(address(Channel, "change", channel.pk), channel_form(position=99_999))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["position"] == ["Must be a whole number from 0 to 10000."]


def test_a_channel_is_deleted_through_the_service_and_its_deliveries_stay(client):
    delivery = finished()
    channel = delivery.channel
    factories.OverrideFactory(channel=channel)
    assert client.get(address(Channel, "delete", channel.pk)).status_code == 200
    assert client.post(address(Channel, "delete", channel.pk), {"post": "yes"}).status_code == 302
    assert not Channel.objects.exists()
    delivery.refresh_from_db()
    assert delivery.channel_id is None
    assert last_entry("channel.deleted").target_id == str(channel.pk)


def test_selected_channels_are_deleted_through_the_service(client):
    channels = [factories.ChannelFactory() for _ in range(2)]
    form = {"action": "delete_selected", "_selected_action": [channel.pk for channel in channels], "post": "yes"}
    client.post(address(Channel, "changelist"), form)
    assert not Channel.objects.exists()
    assert AuditEntry.objects.filter(action="channel.deleted", source=Source.ADMIN).count() == 2


def act(client, action, *rows, confirmed=True, **fields):
    form = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    if confirmed:
        form["confirmed"] = "yes"
    return client.post(address(type(rows[0]), "changelist"), form, follow=True)


def redeliver(client, *deliveries):
    return messages_of(act(client, "redeliver", *deliveries))


def held(**fields):
    return factories.DeliveryFactory(status="held", next_at=None, **fields)


def test_the_page_before_redelivering_counts_what_can_be_and_does_nothing(client):
    rows = [finished(), finished(), factories.DeliveryFactory(), held()]
    response = act(client, "redeliver", *rows, confirmed=False)
    page = response.content.decode()
    assert "Redeliver 2 deliveries?" in page
    assert response.context["question"].counts == [
        (2, "failed: to be redelivered"),
        (1, "pending: left as they are"),
        (1, "held: left as they are"),
    ]
    assert page.count('name="_selected_action"') == 4
    assert not AuditEntry.objects.exists()


def test_the_pages_own_form_does_what_it_asked_about(client):
    delivery = finished()
    response = act(client, "redeliver", delivery, confirmed=False)
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode()))
    form.pop("csrfmiddlewaretoken", None)
    assert messages_of(client.post(address(Delivery, "changelist"), form, follow=True)) == ["Redelivered: 1."]


def test_what_waits_is_cancelled_and_the_rest_is_counted_with_the_reason(client):
    waiting = [factories.DeliveryFactory(), factories.DeliveryFactory(status="retrying"), held()]
    sending = factories.DeliveryFactory(status="sending", lease_token=uuid.uuid4())
    assert messages_of(act(client, "cancel", *waiting, sending, finished())) == [
        "Cancelled: 3.",
        "Refused: 1. This delivery is being sent at this moment. Look again in a minute.",
        "Refused: 1. This delivery is failed already.",
    ]
    for delivery in waiting:
        delivery.refresh_from_db()
        assert (delivery.status, delivery.next_at, delivery.status_reason) == (
            "cancelled",
            None,
            "Cancelled by our staff.",
        )
    assert AuditEntry.objects.filter(action="delivery.cancelled", source=Source.ADMIN).count() == 3
    sending.refresh_from_db()
    assert sending.status == "sending"


def test_staff_that_may_only_look_is_offered_no_action(client):
    clerk = factories.UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(clerk)
    delivery, channel = finished(), factories.ChannelFactory()
    act(client, "redeliver", delivery)
    act(client, "suspend", channel, text="spam")
    delivery.refresh_from_db()
    channel.refresh_from_db()
    assert (delivery.status, channel.suspended_at) == ("failed", None)
    for row in (delivery, channel):
        assert 'value="redeliver"' not in opened(client, address(type(row), "changelist"))[0]
        assert 'value="suspend"' not in opened(client, address(type(row), "changelist"))[0]
        assert 'name="_save"' not in opened(client, address(type(row), "change", row.pk))[0]


def test_channels_are_suspended_with_a_reason_and_resumed(client):
    channels = [factories.ChannelFactory() for _ in range(2)]
    response = act(client, "suspend", *channels, confirmed=False)
    assert response.context["question"].counts == [(2, "to be suspended"), (0, "suspended already")]
    assert 'name="text"' in response.content.decode()
    assert messages_of(act(client, "suspend", *channels, text=" ")) == ["Say why. Nothing was suspended."]
    assert messages_of(act(client, "suspend", *channels, text="It floods a public room.")) == ["Suspended: 2."]
    channels[0].refresh_from_db()
    assert channels[0].suspended_reason == "It floods a public room."
    assert AuditEntry.objects.filter(action="channel.suspended", source=Source.ADMIN).count() == 2
    assert messages_of(act(client, "resume", *channels))[0].startswith("Resumed: 2.")
    channels[0].refresh_from_db()
    assert channels[0].suspended_at is None
    assert AuditEntry.objects.filter(action="channel.resumed", source=Source.ADMIN).count() == 2


def test_channels_are_narrowed_by_their_health(client):
    moment = now()
    states = {
        "healthy": {},
        "off": {"enabled": False, "suspended_at": moment, "suspended_reason": "gone"},
        "suspended": {"suspended_at": moment, "suspended_reason": "gone", "failures_in_a_row": 3},
        "paused": {"paused_until": moment + timedelta(hours=1), "failures_in_a_row": 1},
        "failing": {"paused_until": moment - timedelta(hours=1), "failures_in_a_row": 1},
    }
    for name, fields in states.items():
        factories.ChannelFactory(name=f"Channel that is {name}", **fields)
    for name in states:
        response = client.get(address(Channel, "changelist") + f"?health={name}")
        assert [row.name for row in response.context["cl"].result_list] == [f"Channel that is {name}"]
        assert f'<span class="health health-{name}">{name}</span>' in response.content.decode()


def test_selected_deliveries_are_redelivered_and_what_cannot_be_is_counted_with_the_reason(client):
    good = finished()
    unfinished = factories.DeliveryFactory()
    off = [finished(channel__enabled=False) for _ in range(2)]
    assert redeliver(client, good, unfinished, *off) == [
        "Redelivered: 1.",
        "Refused: 2. The channel is off. Switch it on first.",
        "Refused: 1. This delivery is pending: it is not finished yet.",
    ]
    good.refresh_from_db()
    assert good.status == "pending"
    assert last_entry("delivery.redelivered").target_id == str(good.pk)


def test_too_many_deliveries_at_once_are_refused_as_a_whole(client, monkeypatch):
    monkeypatch.setattr("notifications.admin.deliveries.MOST_AT_ONCE", 1)
    assert redeliver(client, finished(), finished()) == [
        "At most 1 at once: select fewer. Nothing was redelivered.",
    ]
    assert not AuditEntry.objects.exists()


def test_a_delivery_is_found_by_the_id_of_itself_its_event_channel_and_project(client):
    wanted, other = finished(recipient="wanted@example.com"), finished(recipient="other@example.com")
    for sought in (wanted.pk, wanted.occurrence_id, wanted.channel_id, wanted.project_id):
        page, _queries = opened(client, address(Delivery, "changelist") + f"?q={sought}")
        assert "wanted@example.com" in page
        assert "other@example.com" not in page
    page, _queries = opened(client, address(Delivery, "changelist") + "?q=nonsense")
    assert other.recipient not in page


def found_by(client, model, term, **filters):
    query = urlencode({"q": term, **filters})
    return list(client.get(address(model, "changelist") + f"?{query}").context["cl"].result_list)


def test_deliveries_are_found_by_the_id_of_a_run_an_address_and_a_workspace(client):
    wanted = finished(recipient="ann@example.com", occurrence__source_id="0192d3e4-aaaa-7bbb-8ccc-0123456789ab")
    other = finished(recipient="bob@example.com", occurrence__source_id="run-other")
    for term in (wanted.occurrence.source_id, " Ann@Example.com ", wanted.workspace.slug):
        assert found_by(client, Delivery, term) == [wanted], term
    assert found_by(client, Delivery, "run-other", status="failed") == [other]
    assert found_by(client, Delivery, "run-other", status="held") == []
    for term in ("nobody@example.com", str(uuid.uuid4()), "'; --"):
        assert found_by(client, Delivery, term) == [], term


def test_events_are_found_by_their_project_and_workspace(client):
    wanted = factories.OccurrenceFactory()
    factories.OccurrenceFactory()
    for term in (wanted.pk, wanted.project_id, wanted.workspace.slug, wanted.source_id):
        assert found_by(client, Occurrence, term) == [wanted]


def test_tries_are_found_by_their_delivery(client):
    attempts = [Attempt.objects.create(delivery=finished(), number=1, at=now(), outcome="ok") for _ in range(2)]
    assert found_by(client, Attempt, attempts[0].delivery_id) == [attempts[0]]
    assert found_by(client, Attempt, "ok") == []


def test_what_is_due_first_stands_first_among_what_is_unfinished(client):
    later, sooner = (factories.DeliveryFactory(next_at=now() + timedelta(hours=hours)) for hours in (2, 1))
    assert found_by(client, Delivery, "", status="pending") == [sooner, later]


def test_a_filter_without_an_index_looks_through_the_newest_only(client, monkeypatch):
    monkeypatch.setattr("aegisnotify.admin.NewestFilter.most", 2)
    old, new, other = (finished(channel__kind=kind) for kind in ("slack", "slack", "webhook"))
    assert found_by(client, Delivery, "", kind="slack") == [new]
    assert found_by(client, Delivery, "", kind="webhook") == [other]
    assert old in found_by(client, Delivery, "")
    assert "kind (the newest 2)" in client.get(address(Delivery, "changelist")).content.decode()


def test_lists_of_history_are_not_sorted_by_columns_without_an_index(client):
    fill(2)
    for model in (Delivery, Attempt, Occurrence):
        response = client.get(address(model, "changelist") + "?o=2")
        assert "sortable" not in response.content.decode()
        assert response.context["cl"].queryset.query.order_by == ("-pk",)


def test_filters_do_not_count_the_whole_table(client):
    finished()
    few = opened(client, address(Delivery, "changelist"))[1]
    page, queries = opened(client, address(Delivery, "changelist") + "?_facets=True")
    assert queries == few
    assert "Show counts" not in page


def test_pages_link_to_what_the_customer_sees(client):
    delivery = finished()
    workspace = delivery.workspace.slug
    for row, path in (
        (delivery, f"/deliveries/{delivery.pk}/?ws={workspace}"),
        (delivery.occurrence, f"/events/{delivery.occurrence_id}/why/?ws={workspace}"),
        (delivery.channel, f"/p/{delivery.project.slug}/channels/{delivery.channel_id}?ws={workspace}"),
    ):
        assert f'href="{path}" class="viewsitelink"' in opened(client, address(type(row), "change", row.pk))[0]


def test_an_event_is_found_by_the_id_of_its_run(client):
    factories.OccurrenceFactory(source_id="run-wanted")
    factories.OccurrenceFactory(source_id="run-other")
    page, _queries = opened(client, address(Occurrence, "changelist") + "?q=run-wanted")
    assert "run-wanted" in page
    assert "run-other" not in page


def test_the_story_of_a_delivery_stands_on_its_page(client):
    delivery = finished()
    Attempt.objects.create(
        delivery=delivery, number=1, at=now(), outcome="retry", status_code=503, error="The receiver answered 503."
    )
    page, _queries = opened(client, address(Delivery, "change", delivery.pk))
    assert "The receiver answered 503." in page


def test_reported_facts_are_shown_as_text(client):
    occurrence = factories.OccurrenceFactory(facts={"id": "1", "suite_name": "<script>alert(1)</script>"})
    page, _queries = opened(client, address(Occurrence, "change", occurrence.pk))
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_staff_let_mail_go_to_an_address_again(client):
    bounce = AddressBounce.objects.create(email="ann@example.com", kind="bounced", detail="550 no such user", at=now())
    response = client.post(
        address(AddressBounce, "changelist"), {"action": "write_again", "_selected_action": [bounce.pk]}, follow=True
    )
    assert "Mail goes to these addresses again." in messages_of(response)[0]
    assert not AddressBounce.objects.exists()
    entry = last_entry("address.bounce_lifted")
    assert (entry.target_label, entry.changes["kind"]) == ("ann@example.com", ["bounced", None])

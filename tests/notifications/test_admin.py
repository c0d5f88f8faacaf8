import pytest

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
    assert "The Starter plan has 1 webhooks per project" in response.content.decode()
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


def redeliver(client, *deliveries):
    form = {"action": "redeliver", "_selected_action": [delivery.pk for delivery in deliveries]}
    return messages_of(client.post(address(Delivery, "changelist"), form, follow=True))


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

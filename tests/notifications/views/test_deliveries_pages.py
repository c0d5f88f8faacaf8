"""The log of deliveries, what was held back, one delivery, and sending it once more."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.utils.http import urlencode

from notifications.addresses.links import unsubscribe_url
from notifications.intake.recording import record
from notifications.models import Attempt, Delivery, DeliveryStatus, Occurrence
from notifications.selectors import places
from notifications.selectors.log import PAGE, page_of
from notifications.selectors.log_filters import Filters
from notifications.selectors.places import Place
from projects.models import AuditEntry
from tests import factories

NOW = datetime(2026, 4, 28, 10, 42, tzinfo=UTC)
LOG = "/deliveries/?ws=acme"
ROLES = [("owner", 200), ("admin", 200), ("member", 200), ("viewer", 200), ("outsider", 404)]


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def channel(project):
    return factories.ChannelFactory(project=project, key="ops", name="Ops dashboard")


@pytest.fixture
def delivery(project, channel):
    row = made(project, channel, status=DeliveryStatus.DELIVERED, attempt_count=2)
    attempt(row, 1, Attempt.Outcome.RETRY, status_code=503, error="The receiver answered 503.", response="upstream")
    attempt(row, 2, Attempt.Outcome.OK, status_code=200, error="The receiver answered 200.", response='{"ok":true}')
    return row


def made(project, channel, *, status="delivered", **fields):
    occurrence = fields.pop("occurrence", None) or factories.OccurrenceFactory(project=project)
    finished = status in ("delivered", "failed", "cancelled", "held")
    return factories.DeliveryFactory(
        occurrence=occurrence,
        channel=channel,
        status=status,
        **{
            "next_at": None if finished else NOW,
            "delivered_at": NOW + timedelta(seconds=31) if status == "delivered" else None,
            **fields,
        },
    )


def attempt(row, number, outcome, **fields):
    return Attempt.objects.create(
        delivery=row,
        number=number,
        outcome=outcome,
        at=NOW - timedelta(minutes=200 - number),
        duration_ms=187,
        **fields,
    )


def html(response):
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def shown(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return html(response)


def rows(page):
    return [row["id"].removeprefix("d-") for row in page.select("#log-rows tr")]


@pytest.fixture
def viewer(client, people):
    client.force_login(people.viewer)
    return client


class TestWhoMaySee:
    @pytest.mark.parametrize(("role", "status"), ROLES)
    def test_the_pages(self, client, people, delivery, role, status):
        client.force_login(getattr(people, role))
        for address in (LOG, f"{LOG}&show=held_back", "/deliveries/rows?ws=acme", f"/deliveries/{delivery.pk}/"):
            assert client.get(address).status_code == status

    def test_anonymous_readers_sign_in_first(self, client, delivery):
        for address in ("/deliveries/", f"/deliveries/{delivery.pk}/"):
            assert client.get(address)["Location"].startswith("/login/?next=/deliveries/")

    @pytest.mark.parametrize(
        ("role", "status"), [("owner", 302), ("admin", 302), ("member", 302), ("viewer", 403), ("outsider", 404)]
    )
    def test_who_may_redeliver(self, client, people, delivery, role, status):
        client.force_login(getattr(people, role))
        assert client.post(f"/deliveries/{delivery.pk}/redeliver/").status_code == status
        delivery.refresh_from_db()
        assert delivery.status == ("pending" if status == 302 else "delivered")

    def test_a_viewer_is_offered_nothing_to_press(self, viewer, delivery):
        assert shown(viewer, f"/deliveries/{delivery.pk}/").find(id="redeliver") is None

    def test_deliveries_of_another_workspace_are_not_there(self, viewer):
        other = factories.DeliveryFactory()
        assert viewer.get(f"/deliveries/{other.pk}/?ws=acme").status_code == 404
        page = shown(viewer, f"{LOG}&q={other.pk}")
        assert rows(page) == []
        fresh = viewer.get(f"/deliveries/rows?ws=acme&open={other.pk.hex}&after={Place(NOW, other.pk)}")
        assert str(other.pk) not in fresh.content.decode()


class TestTheLog:
    def test_a_row_says_it_all(self, viewer, delivery):
        row = shown(viewer, LOG).select_one("#log-rows tr")
        assert text(row).startswith(f"Run {delivery.occurrence.source_id} failed run_failed · Acme Web Ops dashboard")
        assert "Delivered HTTP 200, 2nd try 187 ms" in text(row)
        assert row.find("a")["href"] == f"/deliveries/{delivery.pk}/?ws=acme"

    def test_an_empty_log_says_what_to_do(self, viewer, project):
        page = shown(viewer, LOG)
        assert "Nothing sent yet" in text(page.find("main"))
        assert page.find("form", {"role": "search"}) is None
        assert page.select_one("[data-live-box]") is None
        assert "Held back" not in text(page.find("main"))

    def test_an_empty_log_names_what_was_held_back_instead(self, viewer, project):
        factories.OccurrenceFactory(project=project)
        main = shown(viewer, LOG).find("main")
        assert main.find("a", string="Held back")["href"] == "/deliveries/?ws=acme&show=held_back"
        page = shown(viewer, f"{LOG}&show=held_back")
        assert page.find("form", {"role": "search"}) is not None

    def test_filters_that_find_nothing_stay(self, viewer, project):
        page = shown(viewer, f"{LOG}&status=failed")
        assert "No delivery matches" in text(page.find("main"))
        assert page.find("form", {"role": "search"}) is not None

    @pytest.mark.parametrize(
        "query",
        [
            {"project": "shop"},
            {"channel": "chat"},
            {"status": "failed"},
            {"event": "crawl_completed"},
            {"since": "2026-04-27", "until": "2026-04-27"},
            {"q": "crawl-7"},
        ],
    )
    def test_each_filter_keeps_what_it_names(self, viewer, workspace, delivery, query):
        shop = factories.ProjectFactory(workspace=workspace, slug="shop")
        wanted = made(
            shop,
            factories.ChannelFactory(project=shop, kind="slack", key="chat"),
            occurrence=factories.OccurrenceFactory(project=shop, kind="crawl", source_id="crawl-7", facts={}),
            status="failed",
            event="crawl_completed",
            created_at=NOW - timedelta(days=1),
        )
        page = shown(viewer, f"{LOG}&{urlencode(query)}")
        assert rows(page) == [str(wanted.pk)]
        for name, value in query.items():
            control = page.find(attrs={"name": name})
            chosen = control.find("option", selected=True) if control.name == "select" else control
            assert chosen["value"] == value
        assert set(rows(shown(viewer, LOG))) == {str(wanted.pk), str(delivery.pk)}

    def test_a_delivery_is_found_by_its_id_and_by_its_events(self, viewer, project, channel, delivery):
        made(project, channel)
        for name in (delivery.pk, delivery.occurrence_id, delivery.occurrence.source_id):
            assert rows(shown(viewer, f"{LOG}&q={name}")) == [str(delivery.pk)]

    def test_days_are_those_of_the_reader(self, client, people, project, channel):
        people.viewer.time_zone = "Asia/Tokyo"
        people.viewer.save()
        client.force_login(people.viewer)
        late = made(project, channel, created_at=datetime(2026, 4, 27, 16, tzinfo=UTC))
        made(project, channel, created_at=datetime(2026, 4, 27, 14, tzinfo=UTC))
        assert rows(shown(client, f"{LOG}&since=2026-04-28&until=2026-04-28")) == [str(late.pk)]

    @pytest.mark.parametrize(
        "query",
        ["status=lost", "event=x", "since=soon", "before=x.y", "newer=99999999999999999.0", "before=1.", "q=%00"],
    )
    def test_what_makes_no_sense_is_left_out(self, viewer, delivery, query):
        assert rows(shown(viewer, f"{LOG}&{query}")) == [str(delivery.pk)]

    def test_an_unknown_project_or_channel_finds_nothing(self, viewer, delivery):
        for query in ("project=theirs", "channel=none"):
            page = shown(viewer, f"{LOG}&{query}")
            assert rows(page) == []
            assert "No delivery matches" in text(page.find("main"))

    def test_names_from_outside_are_text(self, viewer, project):
        channel = factories.ChannelFactory(project=project, name="<script>alert(1)</script>")
        made(project, channel)
        assert b"<script>alert(1)" not in viewer.get(LOG).content

    def test_htmx_gets_the_log_alone(self, viewer, delivery):
        response = viewer.get(LOG, headers={"HX-Request": "true", "HX-Target": "log"})
        assert response.content.strip().startswith(b'<div id="log">')

    def test_a_deleted_channel_leaves_its_name(self, viewer, delivery, channel):
        channel.delete()
        assert "ops (deleted)" in text(shown(viewer, LOG).select_one("#log-rows"))
        assert rows(shown(viewer, f"{LOG}&channel=ops")) == [str(delivery.pk)]


class TestPages:
    @pytest.fixture
    def many(self, project, channel):
        """Two pages and a half; every third has the moment of the one before."""
        occurrence = factories.OccurrenceFactory(project=project)
        made_ones = [
            made(
                project,
                channel,
                occurrence=occurrence,
                recipient=str(number),
                created_at=NOW - timedelta(seconds=number - number % 3),
            )
            for number in range(2 * PAGE + 12)
        ]
        return [str(row.pk) for row in sorted(made_ones, key=lambda row: (row.created_at, row.pk), reverse=True)]

    def test_going_back_and_forth_shows_every_row_once(self, viewer, many):
        def link(page, label):
            found = page.find("a", string=label)
            return found["href"] if found else None

        first = shown(viewer, LOG)
        second = shown(viewer, link(first, "Older"))
        third = shown(viewer, link(second, "Older"))
        assert [*rows(first), *rows(second), *rows(third)] == many
        assert link(first, "Newer") is None
        assert link(third, "Older") is None
        assert rows(shown(viewer, link(third, "Newer"))) == rows(second)
        back = shown(viewer, link(second, "Newer"))
        assert rows(back) == rows(first)
        assert link(back, "Newer") is None

    def test_filters_stay_in_the_links(self, viewer, many):
        older = shown(viewer, f"{LOG}&channel=ops&status=delivered").find("a", string="Older")["href"]
        assert "channel=ops" in older
        assert "status=delivered" in older

    def test_only_the_newest_page_is_live(self, viewer, many):
        first = shown(viewer, LOG)
        assert first.select_one("[data-live]") is not None
        second = shown(viewer, first.find("a", string="Older")["href"])
        assert second.select_one("[data-live]") is None
        assert second.select_one("[data-live-toggle]") is None

    def test_the_number_of_queries_does_not_grow(self, viewer, many, django_assert_max_num_queries):
        with django_assert_max_num_queries(13):
            viewer.get(LOG)
        with django_assert_max_num_queries(15):
            viewer.get(f"{LOG}&channel=ops&project=acme-web&status=delivered&q=run-1")

    def test_no_page_counts_or_skips(self, workspace, people, many, django_assert_num_queries):
        page = page_of(workspace, Filters(), people.viewer.zone)
        with django_assert_num_queries(2) as queries:
            page_of(workspace, Filters(), people.viewer.zone, before=page.older)
        assert not any("OFFSET" in query["sql"] or "COUNT" in query["sql"] for query in queries.captured_queries)


class TestLookingThrough:
    """What a filter finds that no index serves, so many rows at a time."""

    @pytest.fixture(autouse=True)
    def _ten_at_a_time(self, monkeypatch):
        monkeypatch.setattr(places, "LOOKED_THROUGH", 10)

    @pytest.fixture
    def rare(self, project, channel):
        """The 5th, the 28th and the 29th of 35."""
        occurrence = factories.OccurrenceFactory(project=project)
        found = []
        for number in range(35):
            is_rare = number in (4, 27, 28)
            row = made(
                project,
                channel,
                occurrence=occurrence,
                recipient=str(number),
                event="ai_generated" if is_rare else "run_failed",
                created_at=NOW - timedelta(seconds=number),
            )
            if is_rare:
                found.append(str(row.pk))
        return found

    @pytest.mark.parametrize("scope", ["", "&project=acme-web", "&channel=ops", "&project=acme-web&status=delivered"])
    def test_further_back_and_forth_again_it_finds_each_once(self, viewer, rare, scope):
        address, seen, visited = f"{LOG}&event=ai_generated{scope}", [], []
        while address:
            page = shown(viewer, address)
            seen.append(rows(page))
            visited.append(address)
            older = page.find("a", string=["Older", "Look further back"])
            address = older["href"] if older else None
        assert seen == [rare[:1], [], rare[1:], []]

        back = shown(viewer, shown(viewer, visited[-1]).find("a", string="Newer")["href"])
        assert rows(back) == rare[1:]
        back = shown(viewer, back.find("a", string="Newer")["href"])
        assert rows(back) == []

    def test_it_says_how_far_it_looked(self, viewer, rare):
        page = shown(viewer, f"{LOG}&event=ai_generated")
        assert "looked through, back to 28 Apr 2026, 10:41" in text(page.select_one("#log .card-f"))
        page = shown(viewer, page.find("a", string="Older")["href"])
        assert text(page.find("h2", string="No delivery matches so far").parent).count("None fits these filters.") == 1

    def test_what_fits_nowhere_ends(self, viewer, project, channel):
        made(project, channel)
        assert text(shown(viewer, f"{LOG}&event=ai_generated").select_one("#log h2")) == "No delivery matches"

    def test_a_full_page_does_not_ask_how_far_it_looked(self, workspace, people, project, channel, monkeypatch):
        monkeypatch.setattr(places, "LOOKED_THROUGH", 1000)
        occurrence = factories.OccurrenceFactory(project=project)
        for number in range(PAGE + 1):
            made(project, channel, occurrence=occurrence, recipient=str(number), event="run_failed")
        page = page_of(workspace, Filters(event="run_failed"), people.viewer.zone)
        assert len(page.lines) == PAGE
        assert page.looked_back_to is None
        assert page.older is not None

    def test_news_are_found_among_as_many(self, viewer, rare, project, channel):
        before = f"/deliveries/rows?ws=acme&event=ai_generated&after={Place(NOW, uuid.UUID(int=0))}"
        fresh = made(project, channel, event="ai_generated", created_at=NOW + timedelta(seconds=1))
        assert str(fresh.pk) in viewer.get(before).content.decode()

    def test_news_go_on_where_the_last_look_ended(self, viewer, project, channel):
        made(project, channel, event="ai_generated", created_at=NOW - timedelta(minutes=1))
        poll = shown(viewer, f"{LOG}&event=ai_generated").select_one("[data-live]")["hx-get"]
        occurrence = factories.OccurrenceFactory(project=project)
        for number in range(25):
            made(project, channel, occurrence=occurrence, recipient=str(number), event="run_failed", created_at=NOW)
        rare = made(project, channel, event="ai_generated", created_at=NOW + timedelta(seconds=1))
        answers = []
        for _ in range(4):
            answer = html(viewer.get(poll, headers={"HX-Request": "true"}))
            answers.append(answer.find(id=f"d-{rare.pk}") is not None)
            poll = answer.select_one("[data-live]")["hx-get"]
        assert answers == [False, False, True, False]


class TestNews:
    def poll(self, client, page):
        return client.get(page.select_one("[data-live]")["hx-get"], headers={"HX-Request": "true"})

    def test_new_rows_come_on_top_and_open_ones_are_drawn_anew(self, viewer, project, channel):
        waiting = made(project, channel, status="pending")
        page = shown(viewer, LOG)
        Delivery.objects.filter(pk=waiting.pk).update(status="delivered", next_at=None, delivered_at=NOW)
        newer = made(project, channel, created_at=NOW + timedelta(seconds=1))
        news = html(self.poll(viewer, page))
        fresh, changed = news.find(id=f"d-{newer.pk}"), news.find(id=f"d-{waiting.pk}")
        assert fresh["class"] == ["new"]
        assert not fresh.has_attr("hx-swap-oob")
        assert changed["hx-swap-oob"] == "true"
        assert "Delivered" in text(changed)
        after = html(self.poll(viewer, news))
        assert after.find_all("tr") == []

    def test_filters_hold_for_news_too(self, viewer, project, channel, delivery):
        page = shown(viewer, f"{LOG}&status=delivered")
        made(project, channel, status="failed", created_at=NOW + timedelta(seconds=1))
        assert html(self.poll(viewer, page)).find_all("tr") == []

    def test_the_first_row_of_an_empty_log_replaces_the_invitation(self, viewer, project, channel):
        page = shown(viewer, LOG)
        row = made(project, channel)
        response = self.poll(viewer, page)
        assert page.select_one(response["HX-Retarget"]).find(id="log") is not None
        fresh = html(response)
        assert rows(fresh) == [str(row.pk)]
        assert fresh.find("form", {"role": "search"}) is not None
        assert fresh.select_one("[data-live-box]") is not None

    def test_the_first_row_that_fits_the_filters_leaves_them_alone(self, viewer, project, channel):
        page = shown(viewer, f"{LOG}&status=failed")
        row = made(project, channel, status="failed")
        response = self.poll(viewer, page)
        assert response["HX-Retarget"] == "#log"
        assert rows(html(response)) == [str(row.pk)]
        assert html(response).find("form") is None

    def test_a_log_left_open_does_not_grow_for_ever(self, viewer, project, channel, delivery):
        address = f"/deliveries/rows?ws=acme&shown=200&after={Place(NOW, delivery.pk)}"
        assert "HX-Retarget" not in viewer.get(address)
        made(project, channel, created_at=NOW + timedelta(seconds=1))
        assert viewer.get(address)["HX-Retarget"] == "#log"

    @pytest.mark.parametrize("query", ["open=x,y&shown=many&after=z", "open=", ""])
    def test_nonsense_is_answered(self, viewer, delivery, query):
        assert viewer.get(f"/deliveries/rows?ws=acme&{query}").status_code == 200


class TestHeldBack:
    @pytest.fixture
    def event(self, workspace, project, channel):
        factories.ChannelFactory(project=project, kind="slack", key="slack", name="#eng", enabled=False, position=1)
        factories.ChannelFactory(
            project=project, key="late", name="Paused hook", paused_until=NOW + timedelta(hours=1), position=2
        )
        return record(
            workspace,
            {"event": "run_failed", "project": "acme-web", "run": {"id": "r-1", "status": "failed", "failed": 1}},
        ).occurrence

    def test_it_says_who_was_not_told_and_why(self, viewer, event):
        page = shown(viewer, f"{LOG}&show=held_back")
        silences = [text(item) for item in page.select(".silences li")]
        assert silences == ["#eng The channel was switched off.", "Paused hook The channel was paused."]
        assert page.select_one(".held a")["href"] == f"/events/{event.pk}/why/?ws=acme"
        assert page.find(attrs={"name": "status"}) is None
        assert page.select_one("[data-live]") is None

    @pytest.mark.parametrize(
        ("query", "count"),
        [("channel=slack", 1), ("event=crawl_completed", 0), ("q=r-1", 2), ("q=r-2", 0), ("project=none", 0)],
    )
    def test_the_filters_hold(self, viewer, event, query, count):
        assert len(shown(viewer, f"{LOG}&show=held_back&{query}").select(".silences li")) == count

    def test_pages_look_through_events(self, viewer, project, event):
        decisions = event.decisions
        for number in range(30):
            factories.OccurrenceFactory(
                project=project, decisions=decisions, received_at=NOW - timedelta(minutes=number + 1)
            )
        first = shown(viewer, f"{LOG}&show=held_back")
        assert len(first.select(".held > li")) == 25
        second = shown(viewer, first.find("a", string="Older")["href"])
        assert len(second.select(".held > li")) == 6
        assert second.find("a", string="Newest")["href"].endswith("show=held_back")

    def test_hundreds_of_channels_are_not_all_listed(self, viewer, event, django_assert_max_num_queries):
        silent = event.decisions[1]
        many = [{**silent, "name": f"#{number}"} for number in range(200)]
        Occurrence.objects.filter(pk=event.pk).update(decisions=many)
        with django_assert_max_num_queries(12):
            page = shown(viewer, f"{LOG}&show=held_back")
        assert len(page.select(".silences li")) == 20
        assert "and 180 more channels" in text(page.find("main"))


class TestADelivery:
    def test_tries_are_told_in_order(self, viewer, delivery):
        page = shown(viewer, f"/deliveries/{delivery.pk}/")
        assert [text(line.find("b")) for line in page.select(".timeline > li")] == [
            "Event reported",
            "Try 1: HTTP 503",
            "Try 2: HTTP 200",
        ]
        assert [text(node) for node in page.select(".timeline pre")] == ["upstream", '{"ok":true}']
        assert "Delivered at try 2, 31.0 s after the event was reported." in text(page.find("h1").parent)
        assert page.find("a", href=f"/events/{delivery.occurrence_id}/why/?ws=acme") is not None

    def test_a_hundred_tries_are_cut(self, viewer, project, channel):
        row = made(project, channel, status="retrying", attempt_count=120)
        for number in range(1, 121):
            attempt(row, number, Attempt.Outcome.RETRY, status_code=429)
        page = shown(viewer, f"/deliveries/{row.pk}/")
        assert "70 earlier tries" in text(page.select_one(".timeline"))
        assert len(page.select(".timeline > li.bad")) == 50

    def test_the_body_of_a_webhook_is_readable_and_its_secrets_stay_ours(self, viewer, delivery, channel):
        delivery.body = json.dumps({"event": "run_failed", "note": channel.config["secret"]})
        delivery.save()
        response = viewer.get(f"/deliveries/{delivery.pk}/")
        content = response.content.decode()
        assert html(response).find(id="sent-body").get_text().startswith('{\n  "event": "run_failed"')
        assert channel.config["secret"] not in content
        assert "/aegis" not in html(response).select_one(".dl").get_text()
        assert "sha256=•••" in content

    @pytest.mark.parametrize("kind", ["slack", "discord", "teams"])
    def test_urls_of_chats_stay_secret(self, viewer, project, kind):
        channel = factories.ChannelFactory(project=project, kind=kind)
        row = made(project, channel, body=json.dumps({"text": channel.config["url"]}))
        content = viewer.get(f"/deliveries/{row.pk}/").content.decode()
        for secret in (channel.config["url"], "slacksecret", "discord-token", "teamssig"):
            assert secret not in content

    def test_a_mail_shows_its_text_and_no_working_link(self, viewer, project):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        link = unsubscribe_url(str(project.pk), "qa@acme.example")
        body = {
            "subject": "Failed: Checkout <flow>",
            "text": f"3 of 14 failed\nStop: {link}",
            "html": f'<a href="{link}">x</a>',
            "headers": {"List-Unsubscribe": f"<{link}>"},
        }
        row = made(project, channel, recipient="qa@acme.example", body=json.dumps(body))
        attempt(row, 1, Attempt.Outcome.ACCEPTED, response=f"250 {link}")
        response = viewer.get(f"/deliveries/{row.pk}/")
        content = response.content.decode()
        token = link.rstrip("/").rpartition("/")[2]
        assert not any(part in content for part in token.split(":"))
        assert "3 of 14 failed" in content
        assert "Failed: Checkout &lt;flow&gt;" in content

    def test_before_the_first_try_there_is_nothing_to_show(self, viewer, project):
        channel = factories.ChannelFactory(project=project, kind="slack", key="slack")
        row = made(project, channel, status="pending", body="")
        page = shown(viewer, f"/deliveries/{row.pk}/")
        assert "The message is made at the first try." in text(page)
        assert page.select_one("[data-live]") is not None

    @pytest.mark.parametrize("status", ["pending", "sending", "retrying", "held", "delivered", "failed", "cancelled"])
    def test_every_status_has_a_page(self, client, people, project, channel, status):
        fields = {"lease_token": "0190a8c0-0000-7000-8000-000000000000"} if status == "sending" else {}
        row = made(project, channel, status=status, status_reason="paused" if status == "cancelled" else "", **fields)
        client.force_login(people.member)
        page = shown(client, f"/deliveries/{row.pk}/")
        button = page.find("button", id="redeliver")
        assert (button is not None) == (status in ("delivered", "failed", "cancelled"))
        if status == "cancelled":
            assert "The channel was paused." in text(page.find("h1").parent)

    def test_it_takes_few_queries(self, viewer, delivery, django_assert_max_num_queries):
        with django_assert_max_num_queries(9):
            viewer.get(f"/deliveries/{delivery.pk}/")

    def test_a_deleted_channel(self, client, people, delivery, channel):
        channel.delete()
        client.force_login(people.member)
        assert "ops, deleted" in text(shown(client, f"/deliveries/{delivery.pk}/").select_one(".dl"))


class TestRedelivering:
    @pytest.fixture
    def member(self, client, people):
        client.force_login(people.member)
        return client

    def test_without_javascript_it_goes_back_to_the_page_and_says_so(self, member, delivery):
        response = member.post(f"/deliveries/{delivery.pk}/redeliver/?ws=acme", follow=True)
        assert response.redirect_chain == [(f"/deliveries/{delivery.pk}/?ws=acme", 302)]
        page = html(response)
        assert "It is queued to be sent once more, under the same id." in text(page.find(id="flash"))
        assert text(page.select(".timeline > li")[-1]).startswith("Sent once more")
        assert AuditEntry.objects.get().action == "delivery.redelivered"

    def test_with_htmx_the_page_is_drawn_anew_with_a_toast(self, member, delivery):
        response = member.post(
            f"/deliveries/{delivery.pk}/redeliver/?ws=acme", headers={"HX-Request": "true", "HX-Target": "delivery"}
        )
        assert response.status_code == 200
        assert response.content.strip().startswith(b'<div id="delivery" data-live')
        assert "queued" in json.loads(response["HX-Trigger-After-Settle"])["toast"]["text"]

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"enabled": False}, "The channel is off."),
            ({"paused_until": NOW + timedelta(hours=1)}, "The channel is paused."),
            ({"suspended_at": NOW}, "The channel is suspended."),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "delivery"}])
    def test_what_the_channel_can_not_do_is_said_on_the_page(
        self, member, delivery, channel, change, sentence, headers
    ):
        for name, value in change.items():
            setattr(channel, name, value)
        channel.save()
        response = member.post(f"/deliveries/{delivery.pk}/redeliver/", headers=headers)
        assert response.status_code == 409
        assert sentence in text(html(response).find(role="alert"))
        assert (html(response).find("main") is None) == bool(headers)

    def test_over_the_plan_the_sentence_says_so(self, member, delivery, workspace):
        workspace.plan = factories.plan("free")
        workspace.save()
        response = member.post(f"/deliveries/{delivery.pk}/redeliver/")
        assert response.status_code == 402
        alert = html(response).find(role="alert")
        assert "The Free plan has no webhooks per project" in text(alert)
        assert alert.find("a")["href"] == "/usage/?ws=acme"

    def test_twice_is_once(self, member, delivery):
        address = f"/deliveries/{delivery.pk}/redeliver/"
        assert [member.post(address).status_code for _ in range(2)] == [302, 409]
        assert AuditEntry.objects.count() == 1

    def test_a_get_changes_nothing(self, member, delivery):
        assert member.get(f"/deliveries/{delivery.pk}/redeliver/").status_code == 405

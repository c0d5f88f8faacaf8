"""/metrics: who may read it, what it counts, and that it counts each row once."""

from datetime import timedelta

import pytest
import time_machine
from prometheus_client.parser import text_string_to_metric_families

from aegisnotify.clock import now
from notifications.models import Attempt, Tally
from notifications.operations import tallies
from notifications.operations.tallies import LAG, count_what_is_new
from tests import factories

TOKEN = "metrics-token-for-tests"
pytestmark = pytest.mark.django_db


@pytest.fixture
def moment():
    with time_machine.travel("2026-05-04T10:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def scrape(client, settings):
    settings.AEGIS_METRICS_TOKEN = TOKEN

    def read():
        response = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain; version=0.0.4")
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(response.content.decode())
            for sample in family.samples
        }

    return read


def attempt(delivery, outcome, number=1, duration_ms=80):
    return Attempt.objects.create(delivery=delivery, number=number, at=now(), outcome=outcome, duration_ms=duration_ms)


def delivered(kind="webhook", after=timedelta(seconds=2), **kwargs):
    moment = now()
    made = factories.DeliveryFactory(
        channel__kind=kind, status="delivered", next_at=None, created_at=moment - after, delivered_at=moment, **kwargs
    )
    return attempt(made, "ok")


def count_up(moment):
    """As the worker does: one look notes how far the keys go, a later one counts up to there."""
    for _ in range(2):
        moment.shift(LAG)
        count_what_is_new()


def test_without_a_token_in_the_settings_there_is_no_such_page(client, settings):
    settings.AEGIS_METRICS_TOKEN = ""
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.parametrize("shown", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer", TOKEN, "Bearer tökén"])
def test_a_wrong_token_is_refused(client, settings, shown):
    settings.AEGIS_METRICS_TOKEN = TOKEN
    response = client.get("/metrics", **({"HTTP_AUTHORIZATION": shown} if shown else {}))
    assert response.status_code == 401
    assert "WWW-Authenticate" in response
    assert b"aegis_" not in response.content


def test_tries_are_counted_by_kind_and_what_came_of_them(moment, scrape):
    delivered(after=timedelta(milliseconds=300))
    delivered(kind="slack", after=timedelta(seconds=20))
    failed = factories.DeliveryFactory(status="failed", next_at=None, attempt_count=2)
    attempt(failed, "retry", number=1, duration_ms=15_001)
    attempt(failed, "retry", number=2)
    gone = factories.DeliveryFactory(status="failed", next_at=None, attempt_count=1)
    attempt(gone, "failed")
    died = factories.DeliveryFactory(status="failed", next_at=None, attempt_count=5)
    attempt(died, "interrupted", number=4)
    count_up(moment)
    read = scrape()
    assert read["aegis_deliveries_delivered_total", "webhook"] == 1
    assert read["aegis_deliveries_delivered_total", "slack"] == 1
    assert read["aegis_deliveries_delivered_total", "email"] == 0
    assert read["aegis_deliveries_retried_total", "webhook"] == 1
    assert read["aegis_deliveries_failed_total", "webhook"] == 3
    assert read["aegis_attempts_total", "webhook", "retry"] == 2
    assert read["aegis_attempts_total", "webhook", "interrupted"] == 1
    buckets = {le: read["aegis_attempt_duration_seconds_bucket", "webhook", le] for le in ("0.05", "0.1", "15", "+Inf")}
    assert buckets == {"0.05": 0, "0.1": 3, "15": 3, "+Inf": 4}
    assert read["aegis_attempt_duration_seconds_sum", "webhook"] == pytest.approx(15.241)
    latency = {le: read["aegis_delivery_latency_seconds_bucket", "slack", le] for le in ("10", "30", "+Inf")}
    assert latency == {"10": 0, "30": 1, "+Inf": 1}
    assert read["aegis_delivery_latency_seconds_sum", "slack"] == pytest.approx(20, abs=0.001)


def test_events_are_counted_by_kind(moment, scrape, project):
    factories.OccurrenceFactory.create_batch(2, project=project)
    factories.OccurrenceFactory(project=project, kind="crawl")
    count_up(moment)
    read = scrape()
    assert read["aegis_events_accepted_total", "run"] == 2
    assert read["aegis_events_accepted_total", "crawl"] == 1
    assert read["aegis_events_accepted_total", "generation"] == 0


def test_a_redelivery_is_as_late_as_its_second_beginning(moment, scrape):
    delivered(after=timedelta(days=1), restarted_at=now() - timedelta(seconds=1))
    count_up(moment)
    assert scrape()["aegis_delivery_latency_seconds_bucket", "webhook", "1"] == 1


def test_each_row_is_counted_once_however_often_and_in_whatever_steps(moment, monkeypatch, scrape):
    monkeypatch.setattr(tallies, "CHUNK", 2)
    for _ in range(5):
        delivered()
    for _ in range(4):
        count_up(moment)
        delivered()
    count_up(moment)
    assert scrape()["aegis_deliveries_delivered_total", "webhook"] == 9
    assert scrape()["aegis_events_accepted_total", "run"] == 9


def test_a_row_that_shows_up_late_is_not_missed(moment, scrape):
    """Its key was given before that of one which is there already: a transaction that takes long."""
    first = delivered()
    second = delivered()
    kept = Attempt.objects.get(pk=first.pk)
    first.delete()
    moment.shift(LAG)
    count_what_is_new()
    moment.shift(LAG - timedelta(seconds=1))
    count_what_is_new()
    kept.save(force_insert=True)
    moment.shift(timedelta(seconds=1))
    count_what_is_new()
    assert kept.pk < second.pk
    assert scrape()["aegis_deliveries_delivered_total", "webhook"] == 2


def test_totals_outlive_the_rows(moment, scrape):
    delivered()
    count_up(moment)
    Attempt.objects.all().delete()
    count_up(moment)
    assert scrape()["aegis_deliveries_delivered_total", "webhook"] == 1
    assert Tally.objects.count() == 2


def test_the_queue_and_the_breakers_are_shown_as_they_are_now(moment, scrape):
    factories.DeliveryFactory(next_at=now() - timedelta(seconds=40))
    factories.DeliveryFactory(next_at=now() + timedelta(seconds=40))
    factories.ChannelFactory(breaker_open_until=now() + timedelta(seconds=9))
    factories.ChannelFactory(kind="slack", breaker_open_until=now() - timedelta(seconds=9))
    read = scrape()
    assert read["aegis_queue_oldest_due_seconds",] == 40
    assert read["aegis_queue_due",] == 1
    assert read["aegis_breakers", "webhook", "open"] == 1
    assert read["aegis_breakers", "webhook", "half_open"] == 0
    assert read["aegis_breakers", "slack", "half_open"] == 1
    assert read["aegis_workers",] == 0


def test_a_scrape_takes_few_queries(scrape, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        scrape()


def test_two_workers_that_count_at_once_count_a_try_once(moment, scrape, monkeypatch):
    delivered(after=timedelta(milliseconds=300))
    count = tallies._Attempts.count

    def count_while_another_does(source, rows):
        monkeypatch.setattr(tallies._Attempts, "count", count)
        tallies.count_what_is_new()
        return count(source, rows)

    monkeypatch.setattr(tallies._Attempts, "count", count_while_another_does)
    count_up(moment)
    assert scrape()["aegis_deliveries_delivered_total", "webhook"] == 1

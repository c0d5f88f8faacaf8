"""The API against its own description: whatever is sent, no answer is a 500, and every answer is a documented one.

schemathesis makes requests of every operation, valid and broken ones, to things that exist and to things that don't.
`AEGIS_FUZZ_EXAMPLES=300 pytest tests/aegisnotify/test_api_fuzzing.py` looks longer.
"""

import os
from collections import Counter
from datetime import timedelta

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import FailureGroup

from aegisnotify.clock import now
from notifications.delivery import targets
from notifications.models import RecoveryJob
from notifications.services import testing
from notifications.services.channels import rotate_secret
from projects.actors import SYSTEM
from tests import factories

EXAMPLES = int(os.environ.get("AEGIS_FUZZ_EXAMPLES", "10"))
pytestmark = pytest.mark.django_db


@pytest.fixture
def seeded(monkeypatch, settings):
    """The values of path parameters that lead to something, and a token for it."""

    def unknown(host, port):
        raise OSError

    monkeypatch.setattr(targets, "resolve", unknown)
    monkeypatch.setattr(testing, "PER_MINUTE", 1_000_000)
    settings.AEGIS_API_RATE = 1_000_000
    project = factories.ProjectFactory(slug="shop", workspace__plan_code="enterprise")
    channel = factories.ChannelFactory(project=project, key="hook")
    rotate_secret(SYSTEM, channel)
    for kind in ("email", "slack"):
        factories.ChannelFactory(project=project, kind=kind, key=kind)
    delivery = factories.DeliveryFactory(
        occurrence__project=project, channel=channel, status="delivered", next_at=None, delivered_at=now()
    )
    job = RecoveryJob.objects.create(
        workspace=project.workspace, channel=channel, since=now(), until=now(), status="done"
    )
    return {
        "slug": "shop",
        "key": "hook",
        "event_id": str(delivery.occurrence_id),
        "delivery_id": str(delivery.pk),
        "job_id": str(job.pk),
    }, factories.TokenFactory(workspace=project.workspace).text


@pytest.fixture(scope="module")
def application():
    """A real request looks whether the connection should be closed. Here it is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def operations(application):
    load_all_checks()
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema", application)
    return {result.ok().label: result.ok() for result in schema.get_all_operations()}


CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
]  # fmt: skip


# What chance hardly finds: moments that lie on one side of now, and fields that belong together.
SAMPLES = {
    "POST /api/v1/projects": {"name": "Another"},
    "POST /api/v1/projects/{slug}/channels": {"kind": "email", "name": "More"},
    "POST /api/v1/projects/{slug}/channels/{key}/pause": {"until": (now() + timedelta(hours=1)).isoformat()},
    "POST /api/v1/projects/{slug}/channels/{key}/rotate-secret": {},
    "POST /api/v1/projects/{slug}/channels/{key}/test": {"event": "run_failed"},
}
# Always refused here: a token is nobody, and the channel has been paused by the operation before.
REFUSED = {
    "GET /api/v1/email-preferences",
    "PATCH /api/v1/email-preferences",
    "GET /api/v1/members",
    "PATCH /api/v1/members/{member_id}",
    "DELETE /api/v1/members/{member_id}",
    "GET /api/v1/invitations",
    "POST /api/v1/invitations",
    "DELETE /api/v1/invitations/{invitation_id}",
    "POST /api/v1/invitations/{invitation_id}/send-again",
    "GET /api/v1/tokens",
    "POST /api/v1/tokens",
    "DELETE /api/v1/tokens/{token_id}",
    "POST /api/v1/projects/{slug}/channels/{key}/recover",
}


def requests_to(operation, values):
    """Valid and broken ones, mostly to what exists; reports name the project that exists."""
    names = {parameter.name for parameter in operation.path_parameters}
    real = {name: value for name, value in values.items() if name in names}
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    found = [operation.as_strategy(mode, path_parameters=real) for mode in modes]
    if operation.label in SAMPLES:
        body = SAMPLES[operation.label]
        found.insert(0, operation.as_strategy(path_parameters=real, body=body, media_type="application/json"))
    return st.one_of(*found, found[0].map(_of_the_shop), operation.as_strategy(GenerationMode.POSITIVE))


def _of_the_shop(case):
    events = case.body.get("events", [case.body]) if isinstance(case.body, dict) else []
    for event in events if isinstance(events, list) else []:
        if isinstance(event, dict) and "project" in event:
            event["project"] = "shop"
    return case


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_answer_is_a_documented_one(operations, seeded, method):
    values, token = seeded
    asked = {label: operation for label, operation in operations.items() if label.startswith(f"{method} ")}
    answers = {label: _answers(operation, values, token) for label, operation in asked.items()}
    assert {label: wrong for label, (_, wrong) in answers.items() if wrong} == {}
    # Otherwise it would be refusals alone that are known to be documented.
    refused = {label for label, (statuses, _) in answers.items() if min(statuses) >= 300}
    assert refused - REFUSED == set()


def _answers(operation, values, token):
    """How often each status was answered, and what was wrong with an answer."""
    statuses, checks = Counter(), [getattr(schemathesis.checks, name) for name in CHECKS]

    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests_to(operation, values))
    def ask(case):
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        statuses[response.status_code] += 1
        case.validate_response(response, checks=checks)

    try:
        ask()
    except (FailureGroup, AssertionError) as error:
        return statuses, "\n".join(str(each) for each in getattr(error, "exceptions", [error]))
    return statuses, ""

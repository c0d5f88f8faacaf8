"""What a caller may report: the payload's models and the rules between its parts.

Pure. The models are the source of the published JSON Schemas too, so documentation and validation can't differ.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from notifications import catalog
from notifications.catalog import OccurrenceKind
from projects.errors import Invalid

# 2^53 - 1: the largest integer that every JSON reader holds exactly.
LARGEST_COUNT = 2**53 - 1

Model = TypeVar("Model", bound=BaseModel)


def _identifier(value: Any) -> Any:
    """The number 12 and the text "12" are the same id."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or any(character.isspace() for character in value):
        raise ValueError("must be an http or https address")
    return value


def _moment(value: Any) -> Any:
    """ISO 8601 text with an offset, of a year that every database and time zone can hold."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() is None or not 1970 <= moment.year <= 2200:
            raise ValueError
    except (TypeError, ValueError) as error:
        raise ValueError("write an ISO 8601 moment with an offset, such as 2026-04-28T10:42:11Z") from error
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Identifier = Annotated[
    str,
    BeforeValidator(_identifier),
    Field(min_length=1, max_length=200),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 200}),
]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
HttpUrl = Annotated[str, AfterValidator(_http_url), Field(max_length=4000, json_schema_extra={"format": "uri"})]


class _Facts(BaseModel):
    """The facts of an occurrence. Unknown fields are kept and passed through to webhooks."""

    model_config = ConfigDict(extra="allow", strict=True)

    def as_facts(self) -> dict[str, Any]:
        """Plain values as they were given; a known field that is null counts as left out."""
        given = self.model_dump(mode="json", exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None or name not in FIELDS[type(self)]}


class Schedule(_Facts):
    id: Identifier | None = None
    name: str | None = None


class TestFailure(_Facts):
    name: str | None = None
    message: str | None = None


class Run(_Facts):
    """A finished test run."""

    id: Identifier = Field(description="what the run is known by; a repeat of it is the same occurrence")
    suite_name: str | None = Field(default=None, description="which tests ran")
    status: Literal["passed", "failed", "error", "timed_out", "completed", "cancelled"]
    browser: str | None = None
    environment: str | None = None
    trigger: str | None = Field(default=None, description="what started the run; `schedule` fires scheduled_runs")
    schedule: Schedule | None = Field(default=None, description="the schedule that started it")
    passed: Count | None = Field(default=None, description="tests that passed")
    failed: Count | None = Field(default=None, description="tests that failed")
    skipped: Count | None = Field(default=None, description="tests that were skipped")
    duration_ms: Count | None = Field(default=None, description="milliseconds")
    failures: list[TestFailure] | None = Field(default=None, description="worst first")
    url: HttpUrl | None = Field(default=None, description="the page of the run")


class Crawl(_Facts):
    """A finished scan."""

    id: Identifier = Field(description="what the scan is known by")
    status: Literal["completed", "failed"]
    pages: Count | None = Field(default=None, description="pages that were scanned")
    pages_total: Count | None = Field(default=None, description="pages that were found")
    issues: Count | None = Field(default=None, description="issues that were found")
    duration_ms: Count | None = Field(default=None, description="milliseconds")
    url: HttpUrl | None = Field(default=None, description="the page of the scan")


class Generation(_Facts):
    """A finished AI generation of tests."""

    id: Identifier = Field(description="what the generation is known by")
    crawl_id: Identifier | None = Field(default=None, description="the scan that it is for")
    suites: Count | None = Field(default=None, description="suites that were made")
    tests: Count | None = Field(default=None, description="tests that were made")
    pending_review: Count | None = Field(default=None, description="tests that wait for somebody to review them")
    duration_ms: Count | None = Field(default=None, description="milliseconds")
    url: HttpUrl | None = Field(default=None, description="the page of the generation")


FACTS: dict[OccurrenceKind, type[_Facts]] = {
    OccurrenceKind.RUN: Run,
    OccurrenceKind.CRAWL: Crawl,
    OccurrenceKind.GENERATION: Generation,
}
FIELDS = {model: frozenset(model.model_fields) for model in FACTS.values()}


class Envelope(BaseModel):
    """What every report has beside the facts."""

    model_config = ConfigDict(extra="ignore", strict=True)

    event: str
    project: Annotated[str, Field(min_length=1, max_length=200)]
    occurred_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A valid report. `named` is the event the caller named; what fires follows from the facts."""

    project: str
    named: str
    kind: OccurrenceKind
    facts: Mapping[str, Any]
    occurred_at: datetime | None

    @property
    def source_id(self) -> str:
        return str(self.facts["id"])

    @property
    def fired(self) -> tuple[str, ...]:
        return catalog.fires(self.kind, self.facts, [self.named])


def parse(payload: Any) -> Report:
    """The report in a decoded body. Raises `Invalid` with the path of every bad field."""
    if not isinstance(payload, dict):
        raise Invalid({"body": ["Send a JSON object."]})
    errors: dict[str, list[str]] = defaultdict(list)

    envelope = _validate(Envelope, payload, (), errors)
    named = payload.get("event")
    event = catalog.find(named) if isinstance(named, str) else None
    if isinstance(named, str) and event is None:
        errors["event"].append(f"Unknown event. Known: {', '.join(catalog.names())}.")

    facts: dict[str, Any] = {}
    if event is not None:
        part = event.kind.value
        if payload.get(part) is None:
            errors[part].append(f"{event.name} needs a {part} object.")
        elif (model := _validate(FACTS[event.kind], payload[part], (part,), errors)) is not None:
            facts = model.as_facts()
            for name, sentences in _contradictions(event, facts).items():
                errors[name] += sentences
    if errors:
        raise Invalid(errors)

    assert envelope is not None
    assert event is not None
    return Report(envelope.project, event.name, event.kind, facts, envelope.occurred_at)


def _contradictions(event: type[catalog.Event], facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Facts that can't all be true. Each contradicting field is named, since either may be the wrong one."""
    if event.kind is not OccurrenceKind.RUN:
        return {}
    found: dict[str, list[str]] = {}
    status, failed = facts["status"], facts.get("failed") or 0
    if status == "passed" and failed > 0:
        found["run.status"] = [f"A run with {failed} failed tests did not pass."]
        found["run.failed"] = ["Must be 0 when the status is passed."]
    elif event is catalog.RunFailed and not catalog.run_failed(facts):
        found["event"] = [f"run_failed contradicts a run that is {status}."]
        found["run.status"] = ["run_failed needs failed, error, timed_out, or completed with failed tests."]
    if event is catalog.ScheduledRuns and facts.get("trigger", catalog.SCHEDULE_TRIGGER) != catalog.SCHEDULE_TRIGGER:
        found.setdefault("event", []).append("scheduled_runs contradicts another trigger.")
        found["run.trigger"] = [f"Must be {catalog.SCHEDULE_TRIGGER} (or left out) for scheduled_runs."]
    return found


def _validate(model: type[Model], value: Any, path: tuple[str, ...], errors: dict[str, list[str]]) -> Model | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            errors[".".join(str(step) for step in (*path, *problem["loc"]))].append(_sentence(problem))
        return None


_SENTENCES = {
    "missing": "This field is required.",
    "string_type": "Must be text.",
    "string_too_short": "Must not be empty.",
    "too_short": "Must not be empty.",
    "string_too_long": "Must have at most {max_length} characters.",
    "too_long": "Must have at most {max_length} characters.",
    "int_type": "Must be a whole number.",
    "greater_than_equal": "Must be {ge} or more.",
    "less_than_equal": "Must be at most {le}.",
    "literal_error": "Must be one of {expected}.",
    "model_type": "Must be an object.",
    "list_type": "Must be a list.",
    "value_error": "{error}.",
}


def _sentence(problem: Any) -> str:
    sentence = _SENTENCES.get(problem["type"])
    if sentence is None:
        return f"{problem['msg']}."
    text = sentence.format(**problem.get("ctx", {}))
    return text[:1].upper() + text[1:]

"""The style guide, in debug only: every component once, from the templates and tags that the pages use."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from aegisnotify.pages.charts import sparkline, stacked_bars
from aegisnotify.pages.forms import PageForm
from aegisnotify.templatetags.aegis import STATES
from notifications import catalog
from notifications.catalog import RunCompleted, RunFailed
from notifications.channels import registry
from notifications.insight.trace import stages_of
from notifications.intake.decisions import as_json
from notifications.routing import ChannelState, Settings, decide
from notifications.views.filter_rows import Cell, Compared, Line
from notifications.views.previews import previews
from projects.entitlements import Category
from projects.models import Plan, Project, Workspace

TOKENS = (
    *("canvas", "surface", "raised", "sunken", "hover", "line", "line-2", "control-line"),
    *("text", "text-2", "text-3", "accent", "accent-fill", "accent-soft"),
    *("ok", "ok-soft", "ok-mark", "bad", "bad-soft", "bad-mark", "warn", "warn-soft", "warn-mark", "ink", "ink-2"),
)
_ID = UUID(int=1)


class SampleForm(PageForm):
    text = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "Placeholder"}), help_text="A hint.")
    choice = forms.ChoiceField(label="Select", choices=[("one", "One"), ("two", "Two")], required=False)
    address = forms.URLField(label="Invalid", assume_scheme="https", widget=forms.TextInput)


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    form = SampleForm({"text": "", "address": "http://"})
    form.is_valid()
    messages.success(request, "Flash: saved.")
    messages.warning(request, "Flash: saved, and one address waits for its owner to confirm it.")
    messages.error(request, "Flash: nothing was changed.")
    messages.info(request, "Flash: for context.")
    project = _project()
    return render(
        request,
        "pages/styleguide.html",
        {
            "tokens": TOKENS,
            "states": list(STATES),
            "kinds": registry.kinds(),
            "events": catalog.events(),
            "cells": _cells(),
            "form": form,
            "rows": _rows(),
            "meters": [{"used": used, "cap": 2500, "percent": used // 25} for used in (612, 2054, 2612)],
            "chart": stacked_bars(
                [(3, 0), (9, 1), (14, 0), (31, 4), (12, 0), (22, 2)], [f"{hour:02}:00" for hour in range(6)]
            ),
            "spark": sparkline([3, 9, 14, 31, 12, 22]),
            "moment": now() - timedelta(minutes=3),
            "now": now(),
            "workspace": project.workspace,
            "project": project,
            "previews": [each for each in previews(project, RunFailed).previews if not each.subject],
            "event": RunFailed,
            "draft": {"changes": ["run_failed"], "started_at": now(), "stale": False},
            "whatif": Compared(
                214, 7, 318, 271, (Line("#eng-alerts", "run_completed off", 120, 73, 100.0, 60.8),), 0, 1, (_ID,)
            ),
            "can_configure": True,
        },
    )


def _project() -> Project:
    """Never stored."""
    plan = Plan(code="pro", name="Pro")
    return Project(
        pk=_ID, name="Acme Web", slug="acme-web", workspace=Workspace(name="Acme QA", slug="acme", plan=plan)
    )


def _cells() -> list[tuple[Cell, str]]:
    def cell(state: str, **fields: Any) -> Cell:
        on = state[1] == "o"
        sample: dict[str, Any] = {"was": "", "locked": False, "stored": "", "covers": False, "flag": on} | fields
        return Cell(
            id=f"sample-{state}-{len(fields)}",
            event=RunFailed.name,
            state=state,
            on=on,
            label=f"run_failed to a channel ({state}{', '.join(fields)})",
            key=f"{_ID}:run_failed",
            channel_id=str(_ID),
            **sample,
        )

    return [
        (cell("io"), "follows the flag: on"),
        (cell("if"), "follows the flag: off"),
        (cell("oo"), "override: on"),
        (cell("of"), "override: off"),
        (cell("of", was="On"), "override: off, not saved yet"),
        (cell("io", locked=True, stored="Off"), "locked below Pro"),
    ]


def _rows() -> list[dict[str, Any]]:
    """Signal paths of a failed run, by the function that routes."""
    channels = (
        ChannelState("1", "webhook", "Data warehouse", "webhook", Category.WEBHOOK),
        ChannelState("2", "slack", "#qa-runs", "slack", Category.CHAT, overrides={RunCompleted.name: True}),
        ChannelState("3", "discord", "#eng-alerts", "discord", Category.CHAT, overrides={RunFailed.name: False}),
        ChannelState("4", "teams", "Release room", "teams", Category.CHAT, paused=True),
    )  # fmt: skip
    sample = Settings(catalog.default_flags(), True, channels)
    decisions = decide((RunFailed.name, RunCompleted.name), sample)
    return [
        {
            "name": decision.channel.name,
            "kind": decision.channel.kind,
            "icon": registry.get(decision.channel.kind).icon,
            "status": decision.outcome.value,
            "stages": stages_of(stored["gates"], decision.outcome, decision.event),
        }
        for decision, stored in zip(decisions, as_json(decisions, ()), strict=True)
    ]

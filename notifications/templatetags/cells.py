"""A cell of the matrix. A page has hundreds, and as a template they took three quarters of its time."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from aegisnotify.templatetags.aegis import icon
from notifications.catalog import RunCompleted
from notifications.views.filter_rows import Cell

register = template.Library()

_NO_RESET = mark_safe('<span class="tri-sp"></span>')


@register.simple_tag
def filter_cell(cell: Cell, url: str, plan: str) -> SafeString:
    """`{% filter_cell cell cell_url workspace.plan.name %}`: the switch, its reset, and what is to be said of them."""
    return format_html(
        '<div class="cellbox">\n<span class="tri-wrap{}">\n{}\n</span>\n{}{}{}\n</div>',
        " draft" if cell.was else "",
        _locked(cell) if cell.locked else _switch(cell, url),
        format_html('<span class="was">was {}</span>', cell.was) if cell.was else "",
        format_html('<span class="was stored">override {} is stored, not applied on {}</span>', cell.stored, plan)
        if cell.stored
        else "",
        covers(cell) if cell.event == RunCompleted.name else "",
    )


@register.simple_tag
def covers(cell: Cell, swap: str = "") -> SafeString:
    """The note at `run_completed` where it lets failures through. `swap`: how htmx puts it in the place of the old."""
    return format_html(
        '<span class="covers" id="covers-{}"{}>{}</span>',
        cell.channel_id,
        format_html(' hx-swap-oob="{}"', swap) if swap else "",
        "pass or fail: covers failures too" if cell.covers else "",
    )


def _locked(cell: Cell) -> SafeString:
    return format_html(
        '<span class="tri locked {}">{}{}<span class="sr">, follows the flag, locked on your plan</span></span>',
        cell.state,
        icon(cell.icon),
        cell.word,
    )


def _switch(cell: Cell, url: str) -> SafeString:
    return format_html(
        '<button class="tri {state}" id="c-{id}" type="submit" role="switch" aria-checked="{checked}" data-tri'
        ' name="cell" value="{flipped}" aria-label="{label}" aria-describedby="d-{id}" hx-post="{url}">'
        '{icon}<span>{word}</span></button><span class="sr" id="d-{id}">{description}</span>\n{reset}',
        state=cell.state,
        id=cell.id,
        checked="true" if cell.on else "false",
        flipped=cell.flipped,
        label=cell.label,
        url=url,
        icon=icon(cell.icon),
        word=cell.word,
        description=cell.description,
        reset=_reset(cell, url) if cell.pinned else _NO_RESET,
    )


def _reset(cell: Cell, url: str) -> SafeString:
    return format_html(
        '<button class="tri-x" id="x-{id}" type="submit" data-tri-reset data-flag="{flag}" name="cell"'
        ' value="{key}:inherit" aria-label="Reset {label}: inherit the flag" title="Reset to inherit"'
        ' hx-post="{url}">{icon}</button>',
        id=cell.id,
        flag="on" if cell.flag else "off",
        key=cell.key,
        label=cell.label,
        url=url,
        icon=icon("arrow-back-up"),
    )

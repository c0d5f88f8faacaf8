"""Geometry of the charts that pages draw as inline SVG: numbers in, coordinates out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 190
_LEFT, _TOP, _BOTTOM = 38.0, 16.0, 166.0
_SPARK_WIDTH, _SPARK_HEIGHT = 96.0, 28.0


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One place on the x axis: the good ones below, the bad ones on top of them."""

    good: Bar | None
    bad: Bar | None
    x: float
    label: str
    """Empty where there is no room for one. Every other label is left out on a phone."""
    minor: bool


@dataclass(frozen=True, slots=True)
class GridLine:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class BarChart:
    columns: tuple[Column, ...]
    lines: tuple[GridLine, ...]
    width: int = WIDTH
    height: int = HEIGHT


def nice_top(largest: int) -> int:
    """The smallest even number of the form 2, 4, 10, 20, 40, 100, … that is at least `largest`."""
    top = 1
    while True:
        for step in (2, 4, 10):
            if step * top >= largest:
                return step * top
        top *= 10


def short(number: int) -> str:
    """A round number as it stands beside an axis: `500`, `20k`, `4M`."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size and number % size == 0:
            return f"{number // size}{unit}"
    return str(number)


def stacked_bars(values: Sequence[tuple[int, int]], labels: Sequence[str], *, label_every: int = 4) -> BarChart:
    """Bars of (good, bad) on an axis that starts at 0, with two or three grid lines."""
    top = nice_top(max((good + bad for good, bad in values), default=0))
    step = (WIDTH - _LEFT) / max(len(values), 1)
    width = round(step * 0.72, 1)
    scale = (_BOTTOM - _TOP) / top
    columns = []
    for index, ((good, bad), label) in enumerate(zip(values, labels, strict=True)):
        x = round(_LEFT + step * index + (step - width) / 2, 1)
        good_height, bad_height = good * scale, max(bad * scale, 3.0 if bad else 0.0)
        gap = 1.5 if good and bad else 0.0
        columns.append(
            Column(
                Bar(x, round(_BOTTOM - good_height, 1), width, round(good_height, 1)) if good else None,
                Bar(x, round(_BOTTOM - good_height - gap - bad_height, 1), width, round(bad_height, 1))
                if bad
                else None,
                x,
                label if index % label_every == 0 else "",
                label_every > 1 and index % (label_every * 2) != 0,
            )
        )
    lines = (GridLine(_BOTTOM, "0"), GridLine((_TOP + _BOTTOM) / 2, short(top // 2)), GridLine(_TOP, short(top)))
    return BarChart(tuple(columns), lines)


def sparkline(values: Sequence[int]) -> str:
    """The points of a polyline in a 96 × 28 box."""
    top = max(values, default=0) or 1
    step = _SPARK_WIDTH / max(len(values) - 1, 1)
    usable = _SPARK_HEIGHT - 4
    return " ".join(f"{index * step:.0f},{2 + usable * (1 - value / top):.1f}" for index, value in enumerate(values))

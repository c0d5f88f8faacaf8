"""Numbers and dates in sentences. Pure."""

from datetime import date


def number(count: int, noun: str) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def per_cent(tenths: int) -> str:
    """`94.1%`, `100%`: from tenths of a per cent."""
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"


def points(tenths: int) -> str:
    """`1.8 points`, `1 point`: from tenths."""
    return "1 point" if tenths == 10 else f"{tenths / 10:.1f} points".replace(".0 ", " ")


def day_and_month(day: date) -> str:
    return f"{day.day} {day:%B}"


def span(first: date, last: date) -> str:
    """`16 to 22 November`, `28 December to 3 January`."""
    if first >= last:
        return day_and_month(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day_and_month(last)}"
    return f"{day_and_month(first)} to {day_and_month(last)}"

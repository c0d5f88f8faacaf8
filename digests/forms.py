"""When somebody wants their weekly digest."""

import calendar
from typing import Any

from django import forms

from aegisnotify.pages.forms import PageForm
from digests.selectors import Preferences
from projects.forms import ZoneField


class WeeklyForm(PageForm):
    weekday = forms.TypedChoiceField(label="Day", choices=list(enumerate(calendar.day_name)), coerce=int)
    at = forms.TimeField(
        label="Time",
        input_formats=["%H:%M"],
        error_messages={"invalid": "Choose a time such as 08:00."},
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    time_zone = ZoneField(label="Time zone")

    @classmethod
    def of(cls, preferences: Preferences, data: Any = None) -> "WeeklyForm":
        initial = {
            "weekday": preferences.weekly_weekday,
            "at": preferences.weekly_at,
            "time_zone": preferences.weekly_zone,
        }
        return cls(data, initial=initial, auto_id="weekly_%s")

"""What every form of the pages has: our classes, and a place for what a service refuses."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegisnotify.errors import Invalid, ServiceError


class LongSelect(forms.Select):
    """A select of hundreds of options, without groups. Django draws a template for each option: 0.1 s for all zones."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen = set(self.format_value(value))
        options = ((key, " selected" if str(key) in chosen else "", label) for key, label in self.choices)
        return format_html(
            "<select{}>\n{}\n</select>",
            flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})})),
            format_html_join("\n", '<option value="{}"{}>{}</option>', options),
        )


class PageForm(forms.Form):
    """`components/form_field.html` draws its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.HiddenInput):
                field.widget.attrs.setdefault("class", "in")

    def refuse(self, refusal: ServiceError) -> None:
        """Show a service's refusal beside the field it names, else above the form."""
        if isinstance(refusal, Invalid):
            for name, sentences in refusal.fields.items():
                for sentence in sentences:
                    self.add_error(name if name in self.fields else None, sentence)
            return
        field = refusal.details.get("field")
        self.add_error(field if isinstance(field, str) and field in self.fields else None, refusal.message)

    def overtaken(self, name: str, stored: Mapping[str, str]) -> None:
        """Say above the form that somebody changed `name` meanwhile, and what its fields are now. What was typed stays,
        and can be saved knowingly."""
        now_is = "; ".join(f"{field.label}: {stored[key] or 'none'}" for key, field in self.fields.items())
        self.add_error(
            None,
            f"Somebody changed {name} since you opened this page, so nothing was saved. It has now: {now_is}. "
            "Check your entries, then save again.",
        )

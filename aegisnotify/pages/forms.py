"""What every form of the pages has: our classes, and a place for what a service refuses."""

from typing import Any

from django import forms

from aegisnotify.errors import Invalid, ServiceError


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

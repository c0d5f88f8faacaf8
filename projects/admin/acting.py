"""Who acts in the admin, and what is audited there."""

from typing import Any

from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from aegisnotify.client_address import client_address
from projects.actors import Actor, Source, person
from projects.models import User
from projects.services import audit

_UNREADABLE = frozenset({"password", "password1", "password2", "usable_password"})


def actor_of(request: HttpRequest) -> Actor:
    assert isinstance(request.user, User)
    return person(request.user, Source.ADMIN, client_address(request))


def audit_form(request: HttpRequest, form: ModelForm, change: bool) -> None:
    """Record what a saved form changed in a row outside of any workspace: a plan, a person. Passwords are masked."""
    row = form.instance
    changes: dict[str, tuple[Any, Any]] = {}
    for name in form.changed_data:
        if name in _UNREADABLE:
            changes["password"] = (audit.MASK if change else None, audit.MASK)
        else:
            old = form.initial.get(name) if change else None
            changes[name] = (_plain(old), _plain(form.cleaned_data[name]))
    if change and not changes:
        return
    verb = "updated" if change else "created"
    audit.record(actor_of(request), f"{row._meta.model_name}.{verb}", row, workspace=None, changes=changes)


def _plain(value: Any) -> Any:
    if isinstance(value, models.QuerySet | list | tuple | set):
        return sorted(str(each) for each in value)
    return value

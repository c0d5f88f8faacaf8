"""What every admin of ours is made of: reading without writing, saving through a service, lists that stay fast."""

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from aegisnotify.errors import Invalid, ServiceError

# Counting costs as many index entries as it counts; whoever looks for one row narrows the list instead.
COUNT_LIMIT = 10_000


class CappedPaginator(Paginator):
    """Pages of a list whose count stops at 10,000: a list of a million rows opens as fast as a short one."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        # In the list's own order, which an index has: without one the database may prefer to read the table.
        return rows.values("pk")[:COUNT_LIMIT].count()


class FastAdmin(admin.ModelAdmin):
    """Lists that do as few queries for a million rows as for one.

    `list_filter` may only name fields with choices, or filters that bring their own: others read the whole table.
    `defer_in_list` names columns that the list does not show and that are large or secret.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    # A number beside each choice of a filter is a count of the whole table for each.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    ordering: ClassVar[Any] = ("-pk",)
    defer_in_list: ClassVar[Collection[str]] = ()
    select_in_page: ClassVar[Collection[str]] = ()
    """Relations that the page of one row shows."""
    search_by_id: ClassVar[Collection[str]] = ()
    """Columns of UUIDs in which a search term that looks like one is sought. They are compared as UUIDs, which an index
    serves; Django's own search would compare them as text."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if self.is_list(request):
            return rows.defer(*self.defer_in_list) if self.defer_in_list else rows
        return rows.select_related(*self.select_in_page) if self.select_in_page else rows

    def is_list(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is not None and (match.url_name or "").endswith("_changelist")

    def get_search_fields(self, request: HttpRequest) -> Any:
        # Without any search field there is no search box. Every model has its key.
        return super().get_search_fields(request) or (("pk",) if self.search_by_id else ())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not self.search_by_id or not search_term.strip():
            return super().get_search_results(request, queryset, search_term)
        try:
            sought = uuid.UUID(search_term.strip())
        except ValueError:
            if self.search_fields:
                return super().get_search_results(request, queryset, search_term)
            return queryset.none(), False
        wanted = models.Q.create([(name, sought) for name in self.search_by_id], connector=models.Q.OR)
        return queryset.filter(wanted), False


class ReadOnlyAdmin(FastAdmin):
    """For what only services write, and for what is history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UnsortedChangeList(ChangeList):
    """A list that the address can't ask to be sorted by a column."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.model_admin.get_ordering(request))


class HistoryAdmin(ReadOnlyAdmin):
    """For tables that grow with every event. Their lists stay in the order of the key, and a search asks indexes only.

    `NewestFilter`s are for what no index serves.
    """

    sortable_by: ClassVar[Any] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UnsortedChangeList

    def sought(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """The rows that staff look for by `term`, by one index. Where many can be found, in that index's order."""
        raise NotImplementedError

    def get_search_fields(self, request: HttpRequest) -> Any:
        return ("pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()[:254]
        return (self.sought(queryset, term) if term else queryset), False


class NewestFilter(admin.SimpleListFilter):
    """A filter that no index serves looks through the newest rows and says so: a value that is rare would otherwise be
    sought through the whole table."""

    most = 20_000
    what: ClassVar[str]

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"{self.what} (the newest {self.most:,})"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        keys = queryset.model._default_manager.order_by("-pk").values_list("pk", flat=True)
        edge = next(iter(keys[self.most : self.most + 1]), None)
        narrowed = queryset.filter(models.Q((self.parameter_name, self.value())))
        return narrowed if edge is None else narrowed.filter(pk__gt=edge)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a page says before an action is done to many rows: `counts` are pairs of how many and what."""

    title: str
    counts: Sequence[tuple[int, str]]
    button: str
    notes: Sequence[str] = ()
    field: str = ""
    """The label of a line of text that the action wants to have, in the field `text`."""


def is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get("confirmed") == "yes"


def ask(
    model_admin: admin.ModelAdmin, request: HttpRequest, keys: Iterable[Any], question: Confirmation
) -> TemplateResponse:
    """The page that asks before an action is done. Its button calls the action again, for exactly these rows."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": question.title,
        "question": question,
        "action": request.POST.get("action", ""),
        "keys": [str(key) for key in keys],
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def page_link(name: str, *arguments: Any, workspace: str) -> str:
    """The address of a page that customers see."""
    return f"{reverse(name, args=arguments)}?{urlencode({'ws': workspace})}"


def linked(url: str, text: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def list_link(model: type[models.Model], text: Any, **query: Any) -> SafeString:
    """A link to the list of a model, narrowed."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return linked(f"{address}?{urlencode(query)}", text)


class ReadOnlyInline(admin.TabularInline):
    """Rows that belong to the shown one."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceForm(forms.ModelForm):
    """A form that saves through a service, as the last step of its validation.

    What the service refuses is an error of the form like any other, beside the field where it names one. The service
    gets a savepoint of its own, so a refusal leaves nothing behind.
    """

    request: ClassVar[HttpRequest]
    """The request that the form belongs to; `ServiceAdmin` makes a class of the form for each."""

    def save_through_service(self) -> models.Model:
        """Call the service with `cleaned_data` and return the stored row. What it raises is shown in the form."""
        raise NotImplementedError

    def changed(self) -> dict[str, Any]:
        """What the form changes, by field."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def save(self, commit: bool = True) -> Any:
        """The stored row: saving was the last step of the validation."""
        return self.instance

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.instance = self.save_through_service()
        except ServiceError as refusal:
            self._add_refusal(refusal)
        except ValidationError as error:
            self._add_errors(error.message_dict)

    def _add_refusal(self, refusal: ServiceError) -> None:
        if isinstance(refusal, Invalid):
            self._add_errors(refusal.fields)
        else:
            field = refusal.details.get("field")
            self.add_error(field if isinstance(field, str) and field in self.fields else None, refusal.message)

    def _add_errors(self, fields: "dict[str, list[str]] | ErrorDict") -> None:
        for name, sentences in fields.items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)


class ServiceAdmin(FastAdmin):
    """For what staff may change: forms are `ServiceForm`s, and there is no deleting unless `delete_through_service` is
    given.

    `add_form` is used for new rows. Fields are editable only where the form has them.
    """

    form: type[ServiceForm]
    add_form: type[ServiceForm] | None = None
    add_fields: ClassVar[Any] = None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None and self.add_form is not None:
            kwargs["form"] = self.add_form
        form = super().get_form(request, obj, change, **kwargs)
        if issubclass(form, ServiceForm):
            form.request = request
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None and self.add_fields is not None:
            return [(None, {"fields": self.add_fields})]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing beside the row itself is editable."""

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """Rows shown beside the form take no part in saving it: they may have changed since the page was opened."""
        return () if request.method == "POST" else super().get_formsets_with_inlines(request, obj)

    def delete_through_service(self, request: HttpRequest, obj: Any) -> None:
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if type(self).delete_through_service is ServiceAdmin.delete_through_service:
            return False
        return super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_through_service(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_through_service(request, row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only the rows themselves: listing all that belongs to them could mean a million deliveries."""
        names = [str(row) for row in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []


def pretty_json(value: Any) -> SafeString:
    """JSON for reading, escaped."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False))

"""Django's error reports (the mails to ADMINS, the debug page) without secrets.

The settings, headers, form fields and local variables in them are masked by their names, and the finished report is
redacted like a log line, since an exception's text may quote anything.
"""

import re
from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from aegisnotify.logs import safe


class ReportFilter(SafeExceptionReporterFilter):
    """Masks by name, whether DEBUG is on or not: a developer's channels are real ones, too."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|URL|DSN|LOCATION|REDIS|CONFIG|CREDENTIAL|BODY", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        if request is None:
            return {}
        return {name: self.cleanse_setting(name, value) for name, value in request.POST.items()}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        return {name: self.cleanse_setting(name, value) for name, value in tb_frame.f_locals.items()}.items()


class Report(ExceptionReporter):
    def get_traceback_html(self) -> SafeString:
        return mark_safe(safe(super().get_traceback_html()))  # noqa: S308 (it is as safe as it was)

    def get_traceback_text(self) -> SafeString:
        return mark_safe(safe(super().get_traceback_text()))  # noqa: S308

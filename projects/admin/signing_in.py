"""Signing in to the admin, with the rules of the pages' own sign-in."""

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm

from projects.emails import normalize_email


class AdminSignInForm(AdminAuthenticationForm):
    def clean_username(self) -> str:
        # Lower case before it is counted, or every spelling would get its own five tries.
        return normalize_email(self.cleaned_data["username"])


admin.site.login_form = AdminSignInForm

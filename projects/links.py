"""Links that go out in account mail."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.encoding import force_bytes
from django.utils.http import urlencode, urlsafe_base64_encode

from aegisnotify import signed_links
from projects.models import User, Workspace

# The scopes of the tokens; changing one breaks every link that was sent.
VERIFY_EMAIL = "verify-email"
CHANGE_EMAIL = "change-email"
LINK_AGE = timedelta(days=7)
CHANGE_AGE = timedelta(days=1)


def verification_url(user: User) -> str:
    """Shows that the address is the user's, for `LINK_AGE`."""
    return _absolute("verify_email", signed_links.make(VERIFY_EMAIL, user=user.pk, email=user.email))


def email_change_url(user: User, email: str) -> str:
    """Gives the account another address, for `CHANGE_AGE`, and until its password or address changes."""
    token = signed_links.make(CHANGE_EMAIL, user=user.pk, email=email, state=_state(user))
    return _absolute("email_change", token)


def email_change_is_current(user: User, claims: dict[str, Any]) -> bool:
    return constant_time_compare(str(claims.get("state", "")), _state(user))


def invitation_url(token: str) -> str:
    return _absolute("invitation", token)


def password_reset_url(user: User) -> str:
    """Django's own token: for `PASSWORD_RESET_TIMEOUT`, and until the user signs in or changes password or address."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return _absolute("password_reset_confirm", uid, default_token_generator.make_token(user))


def page_url(name: str, workspace: Workspace | None = None) -> str:
    return _absolute(name) + (f"?{urlencode({'ws': workspace.slug})}" if workspace else "")


def _state(user: User) -> str:
    """What an email change depends on. Whoever changes the password thereby withdraws the links that were sent."""
    return salted_hmac("projects.links.state", f"{user.email}:{user.password}", algorithm="sha256").hexdigest()[:32]


def _absolute(view: str, *args: str) -> str:
    return f"{settings.AEGIS_BASE_URL}{reverse(view, args=args)}"

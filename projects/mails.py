"""Mail about accounts and workspaces' members.

Names are typed by people whom the recipient may not know: they are short and can't become links, or inviting would be a
way to send strangers a text of one's own.
"""

from collections.abc import Sequence

from django.core.mail import EmailMessage

from aegisnotify.mail import compose
from aegisnotify.text import clean_text, shorten, unlinked
from projects import links
from projects.emails import masked
from projects.models import Invitation, User, Workspace

PLACES_NAMED = 20


def verification(user: User) -> EmailMessage:
    values = {
        "email": user.email,
        "link": links.verification_url(user),
        "days": links.LINK_AGE.days,
        "preheader": "One click, so that notifications can reach you.",
    }
    return compose("verify_email", user.email, "Confirm your address for AegisNotify", values)


def password_reset(user: User) -> EmailMessage:
    values = {
        "email": user.email,
        "link": links.password_reset_url(user),
        "preheader": "Choose a new password for your account.",
    }
    return compose("password_reset", user.email, "Choose a new password for AegisNotify", values)


def email_change(user: User, email: str) -> EmailMessage:
    """To the new address: the change waits for its word."""
    values = {
        "old": masked(user.email),
        "email": email,
        "link": links.email_change_url(user, email),
        "hours": int(links.CHANGE_AGE.total_seconds() // 3600),
        "preheader": "Nothing changes before you agree.",
    }
    return compose("email_change", email, "Confirm your new address for AegisNotify", values)


def email_change_asked(user: User, email: str) -> EmailMessage:
    """To the present address, while there is time to stop the change."""
    return _notice(
        user.email,
        "A new address was asked for",
        f"Somebody signed in to your account wants to change its address to {masked(email)}. Nothing has changed yet: "
        "the new address has to confirm. Not you? Change your password: that withdraws the request.",
    )


def email_changed(old: str, new: str) -> EmailMessage:
    """To the address that was the account's until now."""
    return _notice(
        old,
        "Your account has a new address",
        f"Your account is now {masked(new)}, and this address can no longer sign in. Not you? Write to your "
        "workspace's owner at once.",
    )


def password_changed(user: User) -> EmailMessage:
    return _notice(
        user.email,
        "Your password was changed",
        "All other sessions were signed out. Not you? Choose a new password at once, by “Forgot password?” on the "
        "sign-in page.",
    )


def invitation(invited: Invitation, inviter: str, token: str) -> EmailMessage:
    name = _name(invited.workspace.name)
    values = {
        "workspace": name,
        "inviter": _name(inviter),
        "role": invited.role,
        "email": invited.email,
        "link": links.invitation_url(token),
        "expires": f"{invited.expires_at.day} {invited.expires_at:%B %Y}",
        "preheader": "The link works once, for this address.",
    }
    return compose("invitation", invited.email, f"Join {name} on AegisNotify", values)


def member_left(admin: User, workspace: Workspace, what: str, email: str, places: Sequence[str]) -> EmailMessage:
    """To an owner or admin. `what` is the sentence; `places` are the channels that have the address as a recipient."""
    name = _name(workspace.name)
    values = {
        "workspace": name,
        "what": unlinked(clean_text(what)),
        "email": email,
        "places": [_name(place) for place in places[:PLACES_NAMED]],
        "more": max(len(places) - PLACES_NAMED, 0),
        "link": links.page_url("settings_members", workspace),
        "preheader": "Its mail stops until the address is confirmed again." if places else "No channel writes there.",
    }
    return compose("member_left", admin.email, f"[{name}] {email} is no longer a member's address", values)


def _notice(email: str, heading: str, text: str) -> EmailMessage:
    values = {"heading": heading, "text": text, "email": email, "link": links.page_url("profile"), "preheader": text}
    return compose("account_notice", email, heading, values)


def _name(text: str) -> str:
    return unlinked(shorten(clean_text(text), 60), domains=True)

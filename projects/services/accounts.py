"""People's accounts: made, verified, renamed, moved to another address, given another password."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from aegisnotify import rates
from aegisnotify.clock import now
from aegisnotify.mail import send_mail_soon
from projects import links, mails
from projects.actors import Actor, Source, person
from projects.emails import normalize_email
from projects.errors import Conflict, Invalid, NotFound, TooMany
from projects.models import User
from projects.selectors import memberships_of
from projects.services import audit, members

VERIFICATIONS = (5, timedelta(days=1))
VERIFICATION_GAP = timedelta(minutes=1)
RESETS_PER_ADDRESS = (3, timedelta(hours=1))
RESETS_PER_CLIENT = (20, timedelta(hours=1))
EMAIL_CHANGES = (5, timedelta(days=1))
PASSWORD_TRIES = (10, timedelta(minutes=15))
ACCOUNTS_PER_CLIENT = (10, timedelta(hours=1))

TAKEN = "There is an account with this address. Sign in instead."


@transaction.atomic
def create_account(
    *, email: str, password: str, name: str, time_zone: str, address: str | None, verified: bool = False
) -> User:
    """A person, who belongs to no workspace yet. `verified`: they came by a link that was mailed to the address.

    Otherwise a verification mail goes out. Raises `Invalid` for bad values and a taken address, `TooMany` for too many
    accounts from one client address.
    """
    if not rates.allowed("sign-up", address, *ACCOUNTS_PER_CLIENT):
        raise TooMany("Too many accounts were made from your network. Try again in an hour.", retry_after=3600)
    user = User(
        email=normalize_email(email),
        name=name.strip(),
        time_zone=time_zone,
        email_verified_at=now() if verified else None,
    )
    errors = _password_errors(password, user)
    user.set_password(password)
    try:
        user.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        errors |= error.message_dict
    if "email" not in errors and User.objects.filter(email=user.email).exists():
        errors["email"] = [TAKEN]
    if errors:
        raise Invalid(errors)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Two sign-ups at the same moment; the database's constraint decides who was first.
        raise Invalid({"email": [TAKEN]}) from error
    audit.record(person(user, Source.PAGE, address), "user.signed_up", user, workspace=None)
    if not verified:
        send_verification(user)
    return user


def send_verification(user: User) -> bool:
    """Mail the link that verifies the address; whether it was sent. At most one a minute and five a day."""
    if user.email_verified_at is not None:
        return False
    if not rates.allowed("verification-gap", user.email, 1, VERIFICATION_GAP):
        return False
    if not rates.allowed("verification", user.email, *VERIFICATIONS):
        return False
    send_mail_soon(lambda: mails.verification(user))
    return True


@transaction.atomic
def verify_email(actor: Actor, user: User, email: str) -> bool:
    """The address is the user's. Whether that was new. Raises `NotFound` when the account has another address now."""
    user = _locked(user)
    if user.email != normalize_email(email):
        raise NotFound("This account has another address now.")
    return mark_verified(actor, user)


def mark_verified(actor: Actor, user: User) -> bool:
    """Within the caller's transaction: a link that was mailed to the address was followed. Whether that was news."""
    if user.email_verified_at is not None:
        return False
    user.email_verified_at = now()
    user.save(update_fields=["email_verified_at"])
    audit.record(actor, "user.email_verified", user, workspace=None, label=user.email)
    return True


@transaction.atomic
def update_profile(actor: Actor, user: User, *, name: str, time_zone: str) -> User:
    """Raises `Invalid` for a name that is too long and for an unknown zone."""
    user = _locked(user)
    changes = audit.differences(user, {"name": name.strip(), "time_zone": time_zone}, ("name", "time_zone"))
    for field, (_old, value) in changes.items():
        setattr(user, field, value)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise Invalid(error.message_dict) from error
    if changes:
        user.save(update_fields=list(changes))
        audit.record(actor, "user.updated", user, workspace=None, changes=changes)
    return user


def check_password(user: User, password: str) -> None:
    """Raises `Invalid` for a wrong password, `TooMany` after ten wrong ones in a quarter of an hour.

    For what a session alone is not enough for: whoever finds an open browser has that.
    """
    limit, within = PASSWORD_TRIES
    if not rates.allowed("password", user.pk, limit, within):
        raise TooMany("Too many wrong passwords. Try again in a quarter of an hour.", retry_after=within.seconds)
    if not user.check_password(password):
        raise Invalid({"password": ["This is not your password."]})
    rates.forget("password", user.pk)


@transaction.atomic
def change_password(actor: Actor, user: User, password: str) -> User:
    """All other sessions end, since they carry a hash of the old one. Raises `Invalid` for a password that is weak."""
    return _set_password(actor, user, password, "user.password_changed")


@transaction.atomic
def reset_password(actor: Actor, user: User, password: str) -> User:
    """By the link that was mailed to the address, which thereby is verified. Raises `Invalid` for a weak password."""
    user = _set_password(actor, user, password, "user.password_reset")
    mark_verified(actor, user)
    return user


def request_password_reset(email: str, address: str | None) -> None:
    """Mail a link, if there is an account that may sign in. Nothing tells the caller whether there is one.

    Raises `TooMany` for too many requests from one client address, whatever address they name.
    """
    limit, within = RESETS_PER_CLIENT
    if not rates.allowed("reset-client", address, limit, within):
        raise TooMany("Too many requests from your network. Try again in an hour.", retry_after=within.seconds)
    email = normalize_email(email)
    if not rates.allowed("reset", email, *RESETS_PER_ADDRESS):
        return
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.has_usable_password():
        send_mail_soon(lambda: mails.password_reset(user))


@transaction.atomic
def request_email_change(actor: Actor, user: User, email: str) -> None:
    """Ask the new address; until it confirms nothing changes. The present one is told, if it was verified.

    Raises `Invalid` for no address, the present one or a taken one, `TooMany` after five requests in a day.
    """
    email = normalize_email(email)
    _check_new_address(user, email)
    if not rates.allowed("email-change", user.pk, *EMAIL_CHANGES):
        raise TooMany("You asked for another address often enough today. Try again tomorrow.")
    audit.record(actor, "user.email_change_requested", user, workspace=None, changes={"email": (user.email, email)})
    send_mail_soon(lambda: mails.email_change(user, email))
    if user.email_verified_at is not None:
        send_mail_soon(lambda: mails.email_change_asked(user, email))


@transaction.atomic
def change_email(actor: Actor, user: User, claims: dict[str, str]) -> User:
    """The new address confirmed by the link that was mailed there.

    The old one counts as unconfirmed wherever it is a recipient, and the workspaces' admins are told. Raises `Conflict`
    when the request was overtaken: by another change, a new password, or an account that took the address.
    """
    user = _locked(user)
    if not links.email_change_is_current(user, claims):
        raise Conflict("This request was withdrawn: the account's address or password has changed since.")
    old, new = user.email, claims["email"]
    if User.objects.filter(email=new).exists():
        raise Conflict("Another account has this address by now.")
    was_verified = user.email_verified_at is not None
    user.email, user.email_verified_at = new, now()
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_verified_at"])
    except IntegrityError as error:
        # Somebody took it at the same moment.
        raise Conflict("Another account has this address by now.") from error
    audit.record(actor, "user.email_changed", user, workspace=None, changes={"email": (old, new)})
    for membership in memberships_of(user):
        audit.record(
            actor,
            "member.email_changed",
            user,
            workspace=membership.workspace,
            label=new,
            changes={"email": (old, new)},
        )
        members.release_address(
            actor, membership.workspace, old, f"{old} is now {new}.", besides=user, only_recipients=True
        )
    if was_verified:
        send_mail_soon(lambda: mails.email_changed(old, new))
    return user


def _check_new_address(user: User, email: str) -> None:
    try:
        User._meta.get_field("email").clean(email, user)
    except ValidationError as error:
        raise Invalid({"email": error.messages}) from error
    if email == user.email:
        raise Invalid({"email": ["This is your address already."]})
    if User.objects.filter(email=email).exists():
        raise Invalid({"email": ["Another account has this address."]})


def _set_password(actor: Actor, user: User, password: str, action: str) -> User:
    user = _locked(user)
    errors = _password_errors(password, user)
    if errors:
        raise Invalid(errors)
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(actor, action, user, workspace=None, changes={"password": (audit.MASK, audit.MASK)})
    send_mail_soon(lambda: mails.password_changed(user))
    return user


def _password_errors(password: str, user: User) -> dict[str, list[str]]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {"password": _sentences(error.messages)}
    return {}


def _sentences(messages: Iterable[str]) -> list[str]:
    return [str(message) for message in messages]


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)

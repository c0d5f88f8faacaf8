"""Telling the owner and the admins that a channel fails, half-way to its suspension and when it is suspended.

Each stage is claimed in the channel's row before its mails go out, so several workers tell it once. A worker that dies
between claim and mail leaves that stage untold; the pages show the channel's state all along.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.urls import reverse

from aegisnotify.clock import now
from aegisnotify.mail import compose, send_mail_now
from aegisnotify.text import clean_text, shorten, unlinked
from notifications.addresses.links import unsubscribe_url
from notifications.addresses.selectors import recipient_states
from notifications.channels import registry
from notifications.channels.text import local_time
from notifications.delivery.health import SUSPENDED_AFTER, WARNED_AFTER, Stage, stage
from notifications.delivery.recording import health_of
from notifications.models import Channel
from notifications.routing import RecipientState
from projects.access import Role
from projects.entitlements import Category
from projects.models import User

logger = logging.getLogger(__name__)

AT_ONCE = 20


def send_channel_warnings() -> int:
    """Tell of the channels whose stage has not been told yet; the number of channels told of."""
    moment = now()
    # Only those that something can be due for: the rest would be looked at first, again and again.
    webhooks = [kind.name for kind in registry.kinds() if kind.category is Category.WEBHOOK]
    failing = Q(kind__in=webhooks, failing_since__lte=moment - WARNED_AFTER) & ~Q(
        warned_stage__in=[Stage.WARNED, Stage.SUSPENDED]
    )
    suspended = Q(suspended_at__isnull=False) & ~Q(warned_stage=Stage.SUSPENDED)
    told = 0
    for channel in Channel.objects.filter(failing | suspended).select_related("project__workspace")[:AT_ONCE]:
        due = _due(channel, moment)
        if due is Stage.FINE:
            continue
        claimed = Channel.objects.filter(pk=channel.pk, warned_stage=channel.warned_stage).update(warned_stage=due)
        if claimed:
            _tell(channel, due)
            told += 1
    return told


def _due(channel: Channel, moment: datetime) -> Stage:
    if channel.suspended_at is not None:
        return Stage.SUSPENDED
    is_webhook = registry.get(channel.kind).category is Category.WEBHOOK
    return Stage.WARNED if stage(health_of(channel), is_webhook=is_webhook, moment=moment) else Stage.FINE


def _tell(channel: Channel, due: Stage) -> None:
    people = User.objects.filter(
        memberships__workspace=channel.project.workspace_id,
        memberships__role__in=[Role.OWNER, Role.ADMIN],
        is_active=True,
    )
    states = recipient_states(channel.project.workspace_id, channel.project_id, [user.email for user in people])
    for user in people:
        if states[user.email] is not RecipientState.CONFIRMED:
            continue
        try:
            send_mail_now(warning(channel, due, user))
        except Exception as error:
            # The stage stays told: a mail server that is down for an hour must not make it a mail a minute.
            logger.error("Channel %s: a warning could not be mailed: %s", channel.pk, type(error).__name__)


def warning(channel: Channel, due: Stage, user: User) -> EmailMultiAlternatives:
    """The mail to one person. `due`: half-way, or suspended."""
    suspended = due is Stage.SUSPENDED
    name = unlinked(shorten(clean_text(channel.name), 60))
    project = unlinked(shorten(clean_text(channel.project.name), 60))
    heading = f"{name} is suspended" if suspended else f"{name} keeps failing"
    since = channel.failing_since
    link = settings.AEGIS_BASE_URL + reverse("overview") + f"?ws={channel.project.workspace.slug}"
    unsubscribe = unsubscribe_url(channel.project_id, user.email)
    values = {
        "tone": "bad",
        "preheader": unlinked(channel.suspended_reason or channel.last_error),
        "project": project,
        "heading": heading,
        "suspended": suspended,
        "failing_since": local_time(since, user.zone) if since else "",
        "suspended_on": local_time(since + SUSPENDED_AFTER, user.zone) if since and not suspended else "",
        "reason": unlinked(channel.suspended_reason if suspended else channel.last_error),
        "link": link,
        "unsubscribe_url": unsubscribe,
    }
    return compose(
        "channel_warning",
        user.email,
        f"[{project}] {heading}",
        values,
        headers={
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )

"""Every service, and either a call of it that has to be in the audit log, or why there is nothing to be recorded.

A service without a row fails `test_walk`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from django.db.models import F

from aegisnotify import signed_links
from aegisnotify.clock import now
from digests.services import membership, preferences
from notifications import drafts as unsaved
from notifications.addresses import services as addresses
from notifications.insight.coverage import Action, Fix
from notifications.insight.remedies import Kind, Remedy
from notifications.models import AddressBounce, AddressConfirmation, Channel, OptOut
from notifications.selectors.matrix import load_matrix
from notifications.services import (
    channels,
    coverage,
    deliveries,
    drafts,
    filters,
    ordering,
    pausing,
    recovery,
    remedies,
    retention,
    secrets,
)
from notifications.services import testing as channel_testing
from projects import links
from projects.access import Right
from projects.models import Invitation, Plan
from projects.services import (
    accounts,
    audit_retention,
    invitations,
    members,
    plans,
    projects,
    tokens,
    workspaces,
)
from projects.services.audit import record
from tests import factories
from tests.notifications.delivery.fakes import transport

PASSWORD = "a long and good one"


@dataclass(frozen=True)
class Row:
    """`action`: what stands in the log. `inside`: in the workspace's own log, not only in that for staff. `source`: of
    the entry, where it is not the caller's own. `also`: what stands beside it in the log for staff."""

    call: Callable[[Any], object]
    action: str
    inside: bool = True
    source: str = ""
    also: str = ""


def fix(scene):
    return Fix(Action.SET_FLAG, "Switch it off", event="run_failed", value=False)


def remedy(scene):
    return Remedy(Kind.FILTER, "Switch it off", Right.CONFIGURE, fix=fix(scene))


def mailbox(scene):
    channel = factories.ChannelFactory(project=scene.project, kind="email", key="mailbox")
    factories.RecipientFactory(channel=channel, email="stranger@example.com")
    return channel


def due_secret(scene):
    channels.rotate_secret(scene.actor, scene.hook, grace_hours=1)
    Channel.objects.update(secret_activates_at=now() - timedelta(seconds=1))
    channels.activate_due_secret(Channel.objects.get(pk=scene.hook.pk))


def staged(scene):
    matrix = load_matrix(scene.workspace, now())
    drafts.stage(scene.owner, matrix, unsaved.workspace_flag("run_failed"), False)


def invitation(scene):
    made = invitations.invite(scene.actor, scene.workspace, email="new@example.com", role="member")
    Invitation.objects.update(sent_at=F("sent_at") - timedelta(hours=1))
    return Invitation.objects.get(pk=made.pk)


def accept(scene):
    token, digest = invitations._new_token()
    made = invitation(scene)
    Invitation.objects.filter(pk=made.pk).update(digest=digest)
    invitations.accept(scene.actor, token, factories.UserFactory(email="new@example.com"))


def change_email(scene):
    url = links.email_change_url(scene.member.user, "other@example.com")
    claims = signed_links.read(links.CHANGE_EMAIL, url.rstrip("/").rsplit("/", 1)[-1])
    accounts.change_email(scene.actor, scene.member.user, claims)


def send_test(scene):
    return channel_testing.send_test(scene.actor, scene.hook, "run_failed", make_transport=transport)


def asked(scene):
    return addresses.request_confirmations(scene.actor, scene.workspace, ["stranger@example.com"])


def old_history(scene):
    moment = now() - timedelta(days=300)
    factories.DeliveryFactory(
        occurrence=factories.OccurrenceFactory(project=scene.project, received_at=moment),
        channel=scene.hook,
        status="delivered",
        next_at=None,
        created_at=moment,
    )
    retention.sweep_histories()


def old_entries(scene):
    entry = record(scene.actor, "workspace.updated", scene.workspace, workspace=scene.workspace)
    type(entry).objects.filter(pk=entry.pk).update(at=now() - timedelta(days=3000))
    audit_retention.delete_old_entries()


def paused(scene):
    return pausing.pause_channel(scene.actor, scene.hook, now() + timedelta(hours=1))


def bounce():
    return AddressBounce.objects.create(email="gone@example.com", kind="bounced", at=now())


def confirmation(scene):
    return AddressConfirmation.objects.create(workspace=scene.workspace, email="stranger@example.com")


ROWS: dict[str, Row] = {
    # People
    "projects.services.accounts.create_account": Row(
        lambda s: accounts.create_account(
            email="new@example.com", password=PASSWORD, name="New", time_zone="UTC", address=None
        ),
        "user.signed_up",
        inside=False,
        source="page",
    ),
    "projects.services.accounts.verify_email": Row(
        lambda s: accounts.verify_email(s.actor, s.unverified, s.unverified.email), "user.email_verified", inside=False
    ),
    "projects.services.accounts.mark_verified": Row(
        lambda s: accounts.mark_verified(s.actor, s.unverified), "user.email_verified", inside=False
    ),
    "projects.services.accounts.update_profile": Row(
        lambda s: accounts.update_profile(s.actor, s.owner, name="New", time_zone="UTC"), "user.updated", inside=False
    ),
    "projects.services.accounts.change_password": Row(
        lambda s: accounts.change_password(s.actor, s.owner, PASSWORD), "user.password_changed", inside=False
    ),
    "projects.services.accounts.reset_password": Row(
        lambda s: accounts.reset_password(s.actor, s.owner, PASSWORD), "user.password_reset", inside=False
    ),
    "projects.services.accounts.request_email_change": Row(
        lambda s: accounts.request_email_change(s.actor, s.owner, "other@example.com"),
        "user.email_change_requested",
        inside=False,
    ),
    "projects.services.accounts.change_email": Row(change_email, "member.email_changed", also="user.email_changed"),
    "projects.services.invitations.invite": Row(invitation, "invitation.sent"),
    "projects.services.invitations.send_again": Row(
        lambda s: invitations.send_again(s.actor, invitation(s)), "invitation.sent_again"
    ),
    "projects.services.invitations.revoke": Row(
        lambda s: invitations.revoke(s.actor, invitation(s)), "invitation.revoked"
    ),
    "projects.services.invitations.accept": Row(accept, "member.joined"),
    "projects.services.members.change_role": Row(
        lambda s: members.change_role(s.actor, s.member, "viewer"), "member.role_changed"
    ),
    "projects.services.members.remove_member": Row(
        lambda s: members.remove_member(s.actor, s.member), "member.removed"
    ),
    "projects.services.members.leave": Row(lambda s: members.leave(s.actor, s.member), "member.left"),
    "projects.services.members.hand_over": Row(
        lambda s: members.hand_over(s.actor, s.workspace, s.member), "workspace.handed_over"
    ),
    # Workspaces, plans, projects, tokens
    "projects.services.plans.create_plan": Row(
        lambda s: plans.create_plan(s.actor, {"code": "school", "name": "School"}), "plan.created", inside=False
    ),
    "projects.services.plans.update_plan": Row(
        lambda s: plans.update_plan(s.actor, s.workspace.plan, {"webhooks": 9}), "plan.updated", inside=False
    ),
    "projects.services.workspaces.create_workspace": Row(
        lambda s: workspaces.create_workspace(s.actor, name="New", owner=s.owner, plan=s.workspace.plan),
        "workspace.created",
        inside=False,
    ),
    "projects.services.workspaces.start_workspace": Row(
        lambda s: workspaces.start_workspace(s.actor, name="New", project="Shop", base_url="", owner=s.owner),
        "workspace.created",
        inside=False,
    ),
    "projects.services.workspaces.start_own_workspace": Row(
        lambda s: workspaces.start_own_workspace(s.actor, name="New", project="Shop", base_url="", owner=s.owner),
        "workspace.created",
        inside=False,
    ),
    "projects.services.workspaces.change_plan": Row(
        lambda s: workspaces.change_plan(s.actor, s.workspace, Plan.objects.get(code="business")),
        "workspace.plan_changed",
    ),
    "projects.services.workspaces.update_workspace": Row(
        lambda s: workspaces.update_workspace(s.actor, s.workspace, {"name": "New"}), "workspace.updated"
    ),
    "projects.services.workspaces.delete_workspace": Row(
        lambda s: workspaces.delete_workspace(s.actor, s.workspace, typed_name=s.workspace.name),
        "workspace.deleted",
        inside=False,
    ),
    "projects.services.projects.create_project": Row(
        lambda s: projects.create_project(s.actor, s.workspace, name="Shop"), "project.created"
    ),
    "projects.services.projects.update_project": Row(
        lambda s: projects.update_project(s.actor, s.project, {"name": "Shop"}), "project.updated"
    ),
    "projects.services.tokens.create_token": Row(
        lambda s: tokens.create_token(s.actor, s.workspace, name="ci", scopes=["events:write"]), "token.created"
    ),
    "projects.services.tokens.revoke_token": Row(
        lambda s: tokens.revoke_token(s.actor, factories.TokenFactory(workspace=s.workspace)), "token.revoked"
    ),
    "projects.services.audit_retention.delete_old_entries": Row(
        old_entries, "audit.history_deleted", inside=False, source="system"
    ),
    # Channels
    "notifications.services.channels.create_channel": Row(
        lambda s: channels.create_channel(s.actor, s.project, kind="email", name="Mail"), "channel.created"
    ),
    "notifications.services.channels.update_channel": Row(
        lambda s: channels.update_channel(s.actor, s.hook, url="https://hooks.example.com/other-secret-path"),
        "channel.updated",
    ),
    "notifications.services.channels.delete_channel": Row(
        lambda s: channels.delete_channel(s.actor, s.hook), "channel.deleted"
    ),
    "notifications.services.channels.rotate_secret": Row(
        lambda s: channels.rotate_secret(s.actor, s.hook), "channel.secret_staged"
    ),
    "notifications.services.channels.activate_secret": Row(
        lambda s: (channels.rotate_secret(s.actor, s.hook), channels.activate_secret(s.actor, s.hook)),
        "channel.secret_activated",
    ),
    "notifications.services.channels.activate_due_secret": Row(
        due_secret,
        "channel.secret_activated",
        source="system",
    ),
    "notifications.services.ordering.move_channel": Row(
        lambda s: ordering.move_channel(s.actor, s.hook, 1), "channel.updated"
    ),
    "notifications.services.pausing.pause_channel": Row(paused, "channel.paused"),
    "notifications.services.pausing.resume_channel": Row(
        lambda s: pausing.resume_channel(s.actor, paused(s)), "channel.resumed"
    ),
    "notifications.services.pausing.suspend_channel": Row(
        lambda s: pausing.suspend_channel(s.actor, s.hook, "It floods a room."), "channel.suspended"
    ),
    "notifications.services.secrets.reveal_secret": Row(
        lambda s: secrets.reveal_secret(s.actor, s.hook, factories.PASSWORD), "channel.secret_revealed"
    ),
    "notifications.services.testing.send_test": Row(send_test, "channel.tested"),
    "notifications.services.recovery.start_recovery": Row(
        lambda s: recovery.start_recovery(s.actor, s.hook, now() - timedelta(hours=1)), "channel.recovery_started"
    ),
    # Filters
    "notifications.services.filters.change_workspace_filters": Row(
        lambda s: filters.change_workspace_filters(s.actor, s.workspace, {"events": {"run_failed": False}}),
        "workspace.flags_changed",
    ),
    "notifications.services.filters.change_project_filters": Row(
        lambda s: filters.change_project_filters(
            s.actor, s.project, {"channel_filters": {s.hook.key: {"run_failed": False}}}
        ),
        "project.filters_changed",
    ),
    "notifications.services.filters.change_filters": Row(
        lambda s: filters.change_filters(
            s.actor, s.workspace, flags=filters.FilterChange({"events": {"run_failed": False}}), projects={}
        ),
        "workspace.flags_changed",
    ),
    "notifications.services.drafts.save": Row(
        lambda s: (staged(s), drafts.save(s.actor, s.owner, s.workspace)), "workspace.flags_changed"
    ),
    "notifications.services.coverage.apply_fix": Row(
        lambda s: coverage.apply_fix(s.actor, s.owner, s.workspace, fix(s)), "workspace.flags_changed"
    ),
    "notifications.services.remedies.apply_remedy": Row(
        lambda s: remedies.apply_remedy(s.actor, s.owner, s.hook, remedy(s)),
        "workspace.flags_changed",
    ),
    "notifications.services.remedies.ask_recipients": Row(
        lambda s: remedies.ask_recipients(s.actor, mailbox(s)), "address.confirmation_requested"
    ),
    # Deliveries and history
    "notifications.services.deliveries.redeliver": Row(
        lambda s: deliveries.redeliver(s.actor, s.finished), "delivery.redelivered"
    ),
    "notifications.services.deliveries.cancel": Row(
        lambda s: deliveries.cancel(s.actor, s.waiting), "delivery.cancelled"
    ),
    "notifications.services.retention.sweep_histories": Row(old_history, "workspace.history_deleted", source="system"),
    # Addresses and preferences
    "notifications.addresses.services.request_confirmations": Row(asked, "address.confirmation_requested"),
    "notifications.addresses.services.confirm_address": Row(
        lambda s: addresses.confirm_address(s.actor, s.workspace.pk, confirmation(s).email), "address.confirmed"
    ),
    "notifications.addresses.services.forget_confirmation": Row(
        lambda s: addresses.forget_confirmation(s.actor, s.workspace, confirmation(s).email),
        "address.confirmation_forgotten",
    ),
    "notifications.addresses.services.opt_out": Row(
        lambda s: addresses.opt_out(s.actor, s.project.pk, "ann@example.com"), "address.opted_out"
    ),
    "notifications.addresses.services.opt_in": Row(
        lambda s: addresses.opt_in(
            s.actor,
            s.project.pk,
            OptOut.objects.create(project=s.project, email="ann@example.com", created_at=now()).email,
        ),
        "address.opted_in",
    ),
    "notifications.addresses.services.lift_bounce": Row(
        lambda s: addresses.lift_bounce(s.actor, bounce()), "address.bounce_lifted", inside=False
    ),
    "digests.services.membership.change_preferences": Row(
        lambda s: membership.change_preferences(
            s.actor, s.workspace.memberships.get(user=s.owner), workspace_unsubscribed=True
        ),
        "preferences.workspace_unsubscribed",
    ),
    "digests.services.preferences.set_weekly": Row(
        lambda s: preferences.set_weekly(s.actor, s.owner, s.workspace, enabled=True, at=time(9)),
        "preferences.weekly_changed",
    ),
    "digests.services.preferences.set_usage_warnings": Row(
        lambda s: preferences.set_usage_warnings(s.actor, s.owner, s.workspace, False),
        "preferences.usage_warnings_changed",
    ),
    "digests.services.preferences.set_nudges": Row(
        lambda s: preferences.set_nudges(s.actor, s.owner, False, workspace=s.workspace), "preferences.nudges_changed"
    ),
    "digests.services.preferences.set_workspace_unsubscribed": Row(
        lambda s: preferences.set_workspace_unsubscribed(s.actor, s.workspace, True),
        "preferences.workspace_unsubscribed",
    ),
}

READS = "changes nothing"
PART = "a part of another service, within its transaction and under its entry"
OWN_DRAFT = "somebody's own unsaved choice, which decides nothing"
MAILS = "mails, and changes no setting"

UNRECORDED: dict[str, str] = {
    "projects.services.accounts.send_verification": MAILS,
    "projects.services.accounts.request_password_reset": MAILS,
    "projects.services.accounts.check_password": READS,
    "projects.services.audit.record": "the log itself",
    "projects.services.audit.differences": READS,
    "projects.services.invitations.find": READS,
    "projects.services.invitations.joined": READS,
    "projects.services.invitations.open_invitations": READS,
    "projects.services.members.release_address": PART,
    "projects.services.projects.on_project_created": "registers a hook",
    "projects.services.staff.let_support_look": "a migration's work, not anybody's",
    "projects.services.tokens.digest": READS,
    "projects.services.tokens.find_token": READS,
    "projects.services.tokens.touch_token": "when a token was used last is no setting",
    "projects.services.usage.count_usage": "counts",
    "notifications.services.closing.stop_channels": PART,
    "notifications.services.closing.delete_closed_workspaces": "the deletion was recorded when it was asked for",
    "notifications.services.coverage.right_of": READS,
    "notifications.services.coverage.find_warning": READS,
    "notifications.services.deliveries.release": PART,
    "notifications.services.deliveries.require_able": READS,
    "notifications.services.deliveries.require_in_plan": READS,
    "notifications.services.drafts.stage": OWN_DRAFT,
    "notifications.services.drafts.stage_inheritance": OWN_DRAFT,
    "notifications.services.drafts.discard": OWN_DRAFT,
    "notifications.services.drafts.resolve": OWN_DRAFT,
    "notifications.services.drafts.follow_own_change": OWN_DRAFT,
    "notifications.services.hours.count_hours": "counts, and changes no setting",
    "notifications.services.hours.recount_soon": PART,
    "notifications.services.recovery.work_on_recoveries": "does what `start_recovery` recorded",
    "notifications.services.retention.delete_deliveries": PART,
    "notifications.services.retention.forget_occurrences": PART,
    "notifications.services.retention.delete_keys": PART,
    "notifications.services.secrets.in_both_forms": READS,
    "notifications.services.warnings.send_channel_warnings": MAILS,
    "notifications.services.warnings.warning": READS,
    "notifications.addresses.services.mark_bounced": "what a mail server said is no setting; its row says when and why",
    "notifications.addresses.services.take_report": "what a mail provider said is no setting",
}

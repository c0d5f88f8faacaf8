"""Rows for tests: `factory_boy` factories of every model, with sensible values."""

from importlib import import_module
from types import SimpleNamespace

import factory
from factory.django import DjangoModelFactory

from aegisnotify.clock import now
from notifications.models import Channel, ChannelRecipient, Delivery, EventFlag, Occurrence, Override
from projects.access import Role
from projects.models import ApiToken, Membership, Plan, Project, User, Workspace
from projects.scopes import Scope
from projects.services import tokens

PASSWORD = "correct horse battery"
SEEDED_PLANS = {row["code"]: row for row in import_module("projects.migrations.0002_plans").PLANS}


def plan(code):
    """A seeded plan. Tests with real transactions flush the tables, and with them what migrations seeded."""
    return Plan.objects.get_or_create(code=code, defaults=SEEDED_PLANS[code])[0]


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"User {n}")
    email_verified_at = factory.LazyFunction(now)

    @factory.post_generation
    def password(self, create, extracted, **kwargs):
        self.set_password(extracted or PASSWORD)
        if create:
            self.save(update_fields=["password"])


class WorkspaceFactory(DjangoModelFactory):
    """A workspace on Pro with an owner (`owner=None` for none). `plan__code` picks another plan."""

    class Meta:
        model = Workspace
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Workspace {n}")
    slug = factory.Sequence(lambda n: f"workspace-{n}")
    plan = factory.LazyAttribute(lambda o: plan(o.plan_code))

    class Params:
        plan_code = "pro"

    @factory.post_generation
    def owner(self, create, extracted, **kwargs):
        if create and extracted is not False:
            Membership.objects.create(workspace=self, user=extracted or UserFactory(), role=Role.OWNER)


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.MEMBER


class ProjectFactory(DjangoModelFactory):
    """A bare project, without the email channel that the service adds."""

    class Meta:
        model = Project

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Project {n}")
    slug = factory.Sequence(lambda n: f"project-{n}")
    base_url = "https://shop.example.com"


class ChannelFactory(DjangoModelFactory):
    """A webhook channel; `kind`, `key` and `config` make it another one."""

    class Meta:
        model = Channel

    project = factory.SubFactory(ProjectFactory)
    kind = "webhook"
    key = factory.Sequence(lambda n: f"channel-{n}")
    name = factory.Sequence(lambda n: f"Channel {n}")
    config = factory.LazyAttribute(lambda o: CONFIGS[o.kind])


CONFIGS = {
    "email": {},
    "slack": {"url": "https://hooks.slack.com/services/T000/B000/slacksecret"},
    "discord": {"url": "https://discord.com/api/v10/webhooks/123456789012345678/discord-token"},
    "teams": {
        "url": "https://prod-01.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=teamssig"
    },
    "webhook": {
        "url": "https://hooks.example.com/aegis",
        "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    },
}


class RecipientFactory(DjangoModelFactory):
    class Meta:
        model = ChannelRecipient

    channel = factory.SubFactory(ChannelFactory, kind="email")
    email = factory.Sequence(lambda n: f"recipient{n}@example.com")


class OverrideFactory(DjangoModelFactory):
    class Meta:
        model = Override

    channel = factory.SubFactory(ChannelFactory)
    event = "run_failed"
    enabled = True


class EventFlagFactory(DjangoModelFactory):
    class Meta:
        model = EventFlag

    workspace = factory.SubFactory(WorkspaceFactory)
    event = "run_failed"
    enabled = True


class OccurrenceFactory(DjangoModelFactory):
    class Meta:
        model = Occurrence

    project = factory.SubFactory(ProjectFactory)
    workspace = factory.SelfAttribute("project.workspace")
    kind = "run"
    source_id = factory.Sequence(lambda n: f"run-{n}")
    facts = factory.LazyAttribute(lambda o: {"id": o.source_id, "status": "failed", "passed": 15, "failed": 3})
    fired = "run_failed,run_completed"
    occurred_at = factory.LazyFunction(now)
    received_at = factory.LazyFunction(now)


class DeliveryFactory(DjangoModelFactory):
    """A pending webhook delivery that is due."""

    class Meta:
        model = Delivery

    occurrence = factory.SubFactory(OccurrenceFactory)
    project = factory.SelfAttribute("occurrence.project")
    workspace = factory.SelfAttribute("occurrence.workspace")
    channel = factory.SubFactory(ChannelFactory, project=factory.SelfAttribute("..project"))
    channel_key = factory.SelfAttribute("channel.key")
    kind = factory.SelfAttribute("channel.kind")
    event = "run_failed"
    body = '{"event":"run_failed"}'
    next_at = factory.LazyFunction(now)
    created_at = factory.LazyFunction(now)


class TokenFactory(DjangoModelFactory):
    """A token; its text is in `token.text`. All scopes unless told."""

    class Meta:
        model = ApiToken

    workspace = factory.SubFactory(WorkspaceFactory)
    name = "ci"
    hint = "aegis_test"
    scopes = factory.LazyFunction(lambda: [scope.value for scope in Scope])
    digest = factory.Sequence(lambda n: f"aegis_secret-token-{n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        text = kwargs["digest"]
        token = super()._create(model_class, *args, **{**kwargs, "digest": tokens.digest(text)})
        token.text = text
        return token


def acme_web():
    """The project that most tests are about."""
    return ProjectFactory(name="Acme Web", slug="acme-web", workspace__name="Acme QA", workspace__slug="acme")


def people_of(workspace):
    """The workspace's people by role, and an outsider who owns another workspace."""
    return SimpleNamespace(
        owner=workspace.memberships.get(role=Role.OWNER).user,
        admin=MembershipFactory(workspace=workspace, role=Role.ADMIN).user,
        member=MembershipFactory(workspace=workspace, role=Role.MEMBER).user,
        viewer=MembershipFactory(workspace=workspace, role=Role.VIEWER).user,
        outsider=MembershipFactory(workspace=WorkspaceFactory(owner=False), role=Role.OWNER).user,
    )

"""Forms of accounts, members, workspaces and tokens. What they let through the services check again."""

from typing import Any

from django import forms

from aegisnotify.pages.forms import LongSelect, PageForm
from projects.access import Role
from projects.models import Membership, Project, User, Workspace
from projects.models.invitations import OFFERED_ROLES
from projects.scopes import Scope
from projects.zones import zone_names

ROLE_WORDS = {
    Role.ADMIN: "Admin: changes settings, channels, projects, tokens and members",
    Role.MEMBER: "Member: sends tests, redelivers, pauses and resumes",
    Role.VIEWER: "Viewer: sees everything, changes nothing",
}
SCOPE_WORDS = {
    Scope.EVENTS_WRITE: "Report events: what a test runner or a build needs",
    Scope.DELIVERIES_READ: "Read events, decisions and deliveries",
    Scope.DELIVERIES_WRITE: "Send tests, redeliver, recover, pause and resume",
    Scope.SETTINGS_READ: "Read projects, channels, filters and usage",
    Scope.SETTINGS_WRITE: "Change projects, channels and filters",
}


def _zone_choices() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in zone_names()]


class ZoneField(forms.ChoiceField):
    """The zones to choose from, and the one that is stored, should it not be among them."""

    widget = LongSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=_zone_choices(), **kwargs)

    def get_bound_field(self, form: Any, field_name: str) -> forms.BoundField:
        stored = form.get_initial_for_field(self, field_name)
        if stored and stored not in zone_names():
            self.choices = [(stored, stored), *_zone_choices()]
        return super().get_bound_field(form, field_name)

    def valid_value(self, value: Any) -> bool:
        # The service knows every zone there is; the list is only the short way to it.
        return True


def _password(label: str, autocomplete: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=1024,
        help_text=hint,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def _email(label: str) -> forms.EmailField:
    return forms.EmailField(label=label, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class WorkspaceStart(PageForm):
    """What a new workspace and its first project are called."""

    workspace = forms.CharField(label="Workspace", max_length=120, help_text="Your team or company.")
    project = forms.CharField(label="First project", max_length=120, help_text="The website you test.")
    base_url = forms.URLField(
        label="Address of the website",
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://www.example.com", "autocomplete": "url"}),
    )


class SignUpForm(WorkspaceStart):
    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    email = _email("Email")
    password = _password("Password", "new-password", "At least 10 characters.")
    time_zone = ZoneField(label="Time zone", widget=LongSelect(attrs={"data-browser-zone": ""}), initial="UTC")

    field_order = ("name", "email", "password", "workspace", "project", "base_url", "time_zone")


class JoinForm(PageForm):
    """An account for an invited address."""

    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    password = _password("Password", "new-password", "At least 10 characters.")
    time_zone = ZoneField(label="Time zone", widget=LongSelect(attrs={"data-browser-zone": ""}), initial="UTC")


class ProfileForm(PageForm):
    name = forms.CharField(
        label="Name", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    time_zone = ZoneField(label="Time zone", help_text="Pages and emails show your times in it.")


class EmailForm(PageForm):
    email = _email("New address")
    password = _password("Your password", "current-password")


class PasswordForm(PageForm):
    old_password = _password("Present password", "current-password")
    password = _password("New password", "new-password", "At least 10 characters.")


class ResetRequestForm(PageForm):
    email = forms.EmailField(
        label="Email", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )


class NewPasswordForm(PageForm):
    password = _password("New password", "new-password", "At least 10 characters.")


class InviteForm(PageForm):
    email = forms.EmailField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        label="Role", choices=[(role.value, ROLE_WORDS[role]) for role in OFFERED_ROLES], initial=Role.MEMBER.value
    )


class WorkspaceForm(PageForm):
    name = forms.CharField(label="Name", max_length=120)
    time_zone = ZoneField(
        label="Time zone", help_text="Digests go out by it, and chat messages show their times in it."
    )


class MemberField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Membership) -> str:
        return f"{obj.user.email} ({obj.role})"


class HandOverForm(PageForm):
    heir = MemberField(Membership.objects.none(), label="New owner", empty_label="Choose a member")
    password = _password("Your password", "current-password")

    def __init__(self, *args: Any, workspace: Workspace, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="handover_%s", **kwargs)
        field = self.fields["heir"]
        assert isinstance(field, MemberField)
        field.queryset = workspace.memberships.select_related("user").exclude(user=owner).order_by("user__email")


class DeleteWorkspaceForm(PageForm):
    name = forms.CharField(label="Workspace's name", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    password = _password("Your password", "current-password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="delete_%s", **kwargs)


class TokenForm(PageForm):
    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="What it is for, such as “CI of the shop”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope.value, SCOPE_WORDS[scope]) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.EVENTS_WRITE.value],
    )
    project = forms.ModelChoiceField(
        Project.objects.none(),
        label="Project",
        required=False,
        empty_label="All projects",
        help_text="A token of one project knows nothing of the others.",
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["project"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = workspace.projects.all()

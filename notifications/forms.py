"""Forms of projects and channels. What they let through the services check again."""

import re
from typing import Any

from django import forms

from aegisnotify.pages.forms import PageForm
from notifications import catalog
from notifications.channels.base import ChannelKind
from notifications.channels.webhook import rotation
from notifications.models import Channel


class ProjectForm(PageForm):
    name = forms.CharField(label="Name", max_length=120, help_text="The website you test.")
    slug = forms.CharField(
        label="Slug",
        max_length=60,
        required=False,
        help_text="Names the project in addresses and in the API. Left empty, it is made from the name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    base_url = forms.CharField(
        label="Address of the website",
        max_length=500,
        required=False,
        widget=forms.TextInput(
            attrs={"placeholder": "https://www.example.com", "inputmode": "url", "autocomplete": "off"}
        ),
    )

    def __init__(self, *args: Any, existing: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if existing:
            self.fields["slug"].required = True
            self.fields[
                "slug"
            ].help_text = (
                "Another slug changes this page's address and what API callers have to send, unless they send the id."
            )


class ProjectFlagsForm(PageForm):
    INHERIT, OWN = "inherit", "own"

    flags = forms.ChoiceField(
        label="Which flags hold",
        choices=[(INHERIT, "The workspace's flags"), (OWN, "Flags of its own")],
        widget=forms.RadioSelect,
    )
    events = forms.MultipleChoiceField(
        label="Events that are on",
        choices=[(event.name, event.label) for event in catalog.events()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ChannelForm(PageForm):
    """The settings that a kind has. A new channel also takes a secret, and says whether it starts at once."""

    name = forms.CharField(label="Name", max_length=80, help_text="What pages and the trace call it.")
    key = forms.CharField(
        label="Key",
        max_length=60,
        required=False,
        help_text="Names the channel in the API and in filters.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    url = forms.CharField(
        label="Webhook URL",
        strip=True,
        error_messages={"required": "Enter the URL."},
        widget=forms.TextInput(
            attrs={
                "class": "in mono",
                "autocomplete": "off",
                "spellcheck": "false",
                "inputmode": "url",
                # Whoever has it can post to it.
                "data-secret": "",
            }
        ),
    )
    recipients = forms.CharField(
        label="Recipients",
        required=False,
        help_text="One address per line, at most 20. Empty means the workspace owner's address.",
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
    )
    mode = forms.ChoiceField(
        label="When",
        choices=[
            (Channel.Mode.IMMEDIATE.value, "At once: an email for each event"),
            (Channel.Mode.DAILY_DIGEST.value, "Once a day: one email with everything since the last"),
        ],
        required=False,
    )
    digest_time = forms.CharField(
        label="Time of the daily email",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
    )
    secret = forms.CharField(
        label="Signing secret",
        required=False,
        strip=False,
        help_text="Leave it empty to get one generated, which is shown once. Your own needs 16 to 256 characters.",
        # A password field is not filled again after an error, and shows nothing to whoever looks on.
        widget=forms.PasswordInput(attrs={"class": "in mono", "autocomplete": "new-password", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label="Which events",
        choices=[(event.name, event.label) for event in catalog.events()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    enabled = forms.BooleanField(label="Switch it on at once", required=False)

    def __init__(self, *args: Any, kind: ChannelKind, zone: str, channel: Channel | None = None, **kwargs: Any) -> None:
        """`zone`: the workspace's, by which a daily digest's time is meant."""
        super().__init__(*args, **kwargs)
        self.channel = channel
        wanted = {"name", "key", *kind.settings}
        wanted = wanted - {"secret"} if channel else wanted | {"events", "enabled"}
        for name in [name for name in self.fields if name not in wanted]:
            del self.fields[name]
        if "url" in self.fields:
            field = self.fields["url"]
            field.label = "Endpoint URL" if "secret" in kind.settings else "Webhook URL"
            if channel:
                field.required = False
                field.label = f"Replace the {'endpoint' if 'secret' in kind.settings else 'webhook'} URL"
                field.help_text = f"Now {kind.target(channel.config)}. Left empty, it stays."
            else:
                field.help_text = "It is stored encrypted and shown masked."
        if "digest_time" in self.fields:
            self.fields[
                "digest_time"
            ].help_text = f"By the workspace's clock ({zone}). Without events there is no email."
        if channel is None:
            self.fields["key"].help_text += " Left empty, it is made from the kind."

    def submitted(self) -> dict[str, Any]:
        """What to give to the service: fields left empty keep their value, or get one made."""
        data = dict(self.cleaned_data)
        data.pop("events", None)
        for name in ("key", "secret", "url"):
            if not data.get(name) and (name != "url" or self.channel):
                data.pop(name, None)
        if "mode" in data:
            data["mode"] = data["mode"] or Channel.Mode.IMMEDIATE.value
            if data["mode"] == Channel.Mode.IMMEDIATE:
                data.pop("digest_time", None)
        if "recipients" in data:
            data["recipients"] = [address for address in re.split(r"[\s,;]+", data["recipients"]) if address]
        return data


GRACES = (
    (0, "At once: the old secret stops signing now"),
    (1, "After 1 hour"),
    (rotation.DEFAULT_GRACE_HOURS, "After 24 hours"),
    (72, "After 3 days"),
    (rotation.LONGEST_GRACE_HOURS, "After 7 days"),
)


class RotateForm(PageForm):
    secret = forms.CharField(
        label="New secret",
        required=False,
        strip=False,
        help_text="Leave it empty to get one generated, which is shown once.",
        widget=forms.PasswordInput(attrs={"class": "in mono", "autocomplete": "new-password", "spellcheck": "false"}),
    )
    grace_hours = forms.TypedChoiceField(
        label="Activate it by itself", choices=GRACES, coerce=int, initial=rotation.DEFAULT_GRACE_HOURS
    )


class PasswordOnlyForm(PageForm):
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

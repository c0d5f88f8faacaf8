"""Changing the encryption keys while everything runs."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db.models import F, TextField
from django.db.models.functions import Cast

from aegisnotify import reencryption
from aegisnotify.encryption import DecryptionError
from aegisnotify.reencryption import reencrypt
from notifications.models import Channel
from tests.factories import CONFIGS, ChannelFactory

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(settings):
    def use(*keys):
        settings.AEGIS_ENCRYPTION_KEYS = list(keys)

    use(OLD)
    return use


def raw():
    return dict(Channel.objects.annotate(raw=Cast(F("config"), TextField())).values_list("pk", "raw"))


def test_every_encrypted_field_is_found():
    assert "notifications.Channel.config" in [
        f"{each.model._meta.label}.{each.name}" for each in reencryption.encrypted_fields()
    ]


def test_the_old_key_can_be_dropped_afterwards(keys, monkeypatch):
    monkeypatch.setattr(reencryption, "BATCH", 2)
    channels = [ChannelFactory(kind=kind) for kind in CONFIGS]
    changed = {channel.pk: channel.changed_at for channel in channels}
    keys(NEW, OLD)
    assert reencrypt().rotated == len(channels)
    keys(NEW)
    assert {channel.kind: channel.config for channel in Channel.objects.all()} == CONFIGS
    assert {channel.pk: channel.changed_at for channel in Channel.objects.all()} == changed


def test_a_second_run_does_only_what_is_left(keys):
    ChannelFactory()
    keys(NEW, OLD)
    reencrypt()
    before = raw()
    keys(OLD)
    ChannelFactory()
    keys(NEW, OLD)
    result = reencrypt()
    assert (result.rotated, result.current, result.is_complete) == (1, 1, True)
    assert before.items() <= raw().items()


def test_who_changes_a_row_meanwhile_wins(keys, monkeypatch):
    channel = ChannelFactory()
    keys(NEW, OLD)
    rotate = reencryption.rotate

    def meanwhile(token):
        if Channel.objects.filter(config__isnull=False, name="Meanwhile").exists():
            return rotate(token)
        keys(OLD)
        Channel.objects.filter(pk=channel.pk).update(name="Meanwhile", config={"url": "https://new.example.com/x"})
        keys(NEW, OLD)
        return rotate(token)

    monkeypatch.setattr(reencryption, "rotate", meanwhile)
    assert reencrypt().rotated == 1
    keys(NEW)
    channel.refresh_from_db()
    assert channel.config == {"url": "https://new.example.com/x"}


def test_looking_changes_nothing_and_says_what_is_left(keys, capsys):
    channel = ChannelFactory()
    before = raw()
    keys(NEW, OLD)
    with pytest.raises(CommandError, match="keep the others"):
        call_command("rotate_encryption_keys", "--check")
    assert raw() == before
    shown = capsys.readouterr()
    assert "1 left" in shown.out
    assert str(channel.pk) in shown.err
    call_command("rotate_encryption_keys")
    call_command("rotate_encryption_keys", "--check")
    assert "can be dropped" in capsys.readouterr().out


def test_what_no_key_opens_is_named_and_kept_and_the_rest_is_done(keys):
    lost = ChannelFactory()
    keys(NEW)
    fine = ChannelFactory()
    with pytest.raises(CommandError, match="No key opens"):
        call_command("rotate_encryption_keys")
    assert reencrypt().unreadable == [f"notifications.Channel.config {lost.pk}"]
    assert Channel.objects.get(pk=fine.pk).config == fine.config
    with pytest.raises(DecryptionError):
        Channel.objects.get(pk=lost.pk)
    keys(NEW, OLD)
    assert Channel.objects.get(pk=lost.pk).config == lost.config

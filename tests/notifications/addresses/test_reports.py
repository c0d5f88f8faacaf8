"""What reports of mail providers mean for an address, as anymail 15.2 normalises them."""

import pytest

from notifications.addresses.reports import Report as R
from notifications.addresses.reports import judge


def kind(*args, **kwargs):
    finding = judge(R(*args, **kwargs))
    return finding and finding.kind


@pytest.mark.parametrize(
    ("provider", "event", "reason", "raw", "expected"),
    [
        ("Postmark", "bounced", "bounced", {"Type": "HardBounce"}, "bounced"),
        ("Postmark", "bounced", "bounced", {"Type": "SoftBounce"}, None),
        ("Postmark", "bounced", "other", {"Type": "VirusNotification"}, None),
        ("Postmark", "rejected", "invalid", {"Type": "BadEmailAddress"}, "bounced"),
        ("Postmark", "rejected", "blocked", {"Type": "DMARCPolicy"}, None),
        ("Postmark", "complained", "spam", {"Type": "SpamComplaint"}, "complained"),
        ("Postmark", "unsubscribed", "unsubscribed", {}, "complained"),
        ("Postmark", "subscribed", None, {}, None),
        ("SendGrid", "bounced", None, {"type": "bounce"}, "bounced"),
        ("SendGrid", "bounced", None, {"type": "blocked"}, None),
        ("SendGrid", "rejected", "bounced", {}, "bounced"),
        ("SendGrid", "rejected", "timed_out", {}, None),
        ("Mailgun", "bounced", "bounced", {}, "bounced"),
        ("Mailgun", "bounced", "other", {}, None),
        ("Mailgun", "deferred", "other", {}, None),
        ("Mailgun", "rejected", "other", {}, None),
        ("Mailjet", "bounced", "bounced", {"hard_bounce": True, "error": "user unknown"}, "bounced"),
        ("Mailjet", "bounced", "bounced", {"hard_bounce": False, "error": "quota exceeded"}, None),
        ("Mailjet", "rejected", "bounced", {"hard_bounce": False, "error": "user unknown"}, "bounced"),
        ("Brevo", "bounced", "bounced", {"event": "soft_bounce"}, None),
        ("Brevo", "bounced", "bounced", {"event": "hard_bounce"}, "bounced"),
        ("MailerSend", "bounced", "bounced", {"type": "activity.soft_bounced"}, None),
        ("MailerSend", "bounced", "bounced", {"type": "activity.hard_bounced"}, "bounced"),
        ("Mandrill", "bounced", None, {"event": "soft_bounce"}, None),
        ("Mandrill", "bounced", None, {"event": "hard_bounce"}, "bounced"),
        ("Resend", "bounced", "bounced", {"data": {"bounce": {"type": "Transient"}}}, None),
        ("Resend", "bounced", "bounced", {"data": {"bounce": {"type": "Permanent"}}}, "bounced"),
        ("Amazon SES", "bounced", "bounced", {"bounce": {"bounceType": "Permanent"}}, "bounced"),
        ("Amazon SES", "bounced", "bounced", {"bounce": {"bounceType": "Transient"}}, None),
        ("SparkPost", "bounced", "invalid", {"msys": {"message_event": {"bounce_class": "10"}}}, "bounced"),
        ("SparkPost", "bounced", "bounced", {"msys": {"message_event": {"bounce_class": "22"}}}, None),
        ("SparkPost", "rejected", "spam", {"msys": {"message_event": {"bounce_class": "52"}}}, None),
        ("Postal", "bounced", "bounced", {}, "bounced"),
        ("Unisender Go", "deferred", None, {}, None),
        ("Anything", "delivered", None, {}, None),
        ("Anything", "opened", None, {}, None),
        ("Anything", "failed", None, {}, None),
        ("Anything", "bounced", "bounced", None, "bounced"),
    ],
)  # fmt: skip
def test_hard_bounces_and_complaints_stop_mail_and_nothing_else_does(provider, event, reason, raw, expected):
    assert kind(provider, event, "ann@example.com", reason, raw=raw) == expected


def test_the_finding_says_what_the_other_side_said():
    said = judge(R("Postmark", "bounced", "a@example.com", "bounced", "550 5.1.1 no such user", {"Type": "HardBounce"}))
    assert said.detail == "Postmark: 550 5.1.1 no such user"
    assert judge(R("Postmark", "complained", "a@example.com")).detail == "Postmark: its owner reported our mail as spam"

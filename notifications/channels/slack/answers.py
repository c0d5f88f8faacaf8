"""What Slack's answers mean. It says it in the body, as one word; the same word comes with different statuses.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, "Handling errors".
"""

from collections.abc import Mapping

from notifications.channels import answers
from notifications.channels.base import Answer, Reading, Verdict

RECEIVER = "Slack"

_NEW_HOOK = "Create a new incoming webhook and replace the URL."
GONE: Mapping[str, str] = {
    "no_service": f"the webhook was deleted or its app was uninstalled. {_NEW_HOOK}",
    "no_service_id": f"the webhook was deleted or the URL is incomplete. {_NEW_HOOK}",
    "no_active_hooks": f"the webhook was switched off. {_NEW_HOOK}",
    "invalid_token": f"the webhook's token is not valid any more. {_NEW_HOOK}",
    "no_team": f"the Slack workspace does not exist any more. {_NEW_HOOK}",
    "team_disabled": f"the Slack workspace was disabled. Enable it and send a test, or else: {_NEW_HOOK}",
    "channel_not_found": f"the channel was deleted, or the webhook lost access to it. {_NEW_HOOK}",
    "channel_is_archived": f"the channel is archived. Unarchive it and send a test, or else: {_NEW_HOOK}",
    "user_not_found": f"the person this webhook posts to was not found. {_NEW_HOOK}",
    "action_prohibited": "an admin of the Slack workspace forbids this webhook to post. Ask them to allow it, "
    "then send a test.",
    "posting_to_general_channel_denied": "only some people may post to the general channel. "
    "Create a webhook for another channel and replace the URL.",
}
"""The hook is gone, or stays refused until somebody acts."""

TOO_LARGE = frozenset({"msg_blocks_too_long", "too_many_attachments"})
OURS = frozenset(
    {
        "invalid_payload",
        "invalid_blocks",
        "invalid_blocks_format",
        "no_text",
        "missing_text_or_fallback_or_attachments",
    }
)
"""Slack could not read the message."""


def read(answer: Answer) -> Reading:
    trouble = answers.read_trouble(answer, RECEIVER)
    if trouble:
        return trouble
    status = answer.status or 0
    word = answer.body.strip()
    succeeded = 200 <= status <= 299
    if succeeded and (word == "ok" or answers.json_object(word).get("success") is True):
        # {"success": true} is Rocket.Chat's "ok".
        return Reading(Verdict.OK, "Slack took the message.")
    if word in GONE:
        return Reading(Verdict.FAILED, f"Slack answered {status} {word}: {GONE[word]}", gone=True)
    if word == "rate_limited":
        return answers.read_limited(RECEIVER, answers.retry_after_seconds(answer.headers))
    temporary = answers.read_temporary(answer, RECEIVER)
    if temporary:
        return temporary
    if word == "rollup_error":
        return Reading(Verdict.RETRY, f"Slack answered {status} {word}: a fault inside Slack, usually temporary.")
    if word in TOO_LARGE:
        return answers.read_too_large(f"Slack answered {status} {word}")
    if word in OURS:
        return Reading(
            Verdict.FAILED,
            f"Slack answered {status} {word}: it did not accept the form of this message. That is a fault of ours; "
            "the channel works and later messages are sent.",
        )
    if succeeded:
        return Reading(
            Verdict.FAILED,
            f"Slack answered {answers.describe(status)}, but not “ok”, so the message did not arrive. "
            "Check that the URL is an incoming webhook's, then send a test.",
        )
    return answers.read_final(answer, RECEIVER)

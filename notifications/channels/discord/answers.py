"""What Discord's answers mean: by the code in the JSON body where there is one, by the status otherwise.

Sources: https://discord.com/developers/docs/topics/opcodes-and-status-codes, …/topics/rate-limits, …/resources/webhook.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from notifications.channels import answers
from notifications.channels.base import Answer, Reading, Verdict

RECEIVER = "Discord"
BAN_PAUSE = 600.0
"""Seconds to wait where the proxy in front of Discord limits us and names no time. It blocks for minutes to an hour."""

_NEW_HOOK = "Create a new one under the channel's settings → Integrations → Webhooks and replace the URL."
_THREAD = "Add ?thread_id= and the id of a thread to the URL, or use a webhook of a text channel."
GONE: Mapping[int, tuple[str, str]] = {
    10015: ("Unknown Webhook", f"the webhook was deleted. {_NEW_HOOK}"),
    10003: ("Unknown Channel", f"the channel was deleted. {_NEW_HOOK}"),
    50027: ("Invalid Webhook Token", f"the webhook's token is not valid any more. {_NEW_HOOK}"),
    220001: ("no thread given", f"webhooks of forum and media channels post to a thread. {_THREAD}"),
    220002: ("name and id of a thread given", f"the thread can't be named twice. {_THREAD}"),
    220003: ("can't create a thread", f"webhooks can create threads only in forum and media channels. {_THREAD}"),
}
"""Codes after which the webhook takes nothing until somebody acts: what Discord calls them, and what to do."""

GONE_STATUSES: Mapping[int, str] = {
    401: f"the webhook's token is not valid any more. {_NEW_HOOK}",
    403: f"the webhook may not post any more. {_NEW_HOOK}",
    404: f"the webhook was deleted. {_NEW_HOOK}",
}
"""Calling a webhook again after these counts towards a ban of our address, so any of them suspends the channel."""

BLOCKED_BY_PROXY = 40333
TOO_LARGE = 40005
OURS: Mapping[int, str] = {
    50035: "Invalid Form Body",
    50006: "Cannot Send An Empty Message",
    50109: "Invalid JSON",
}


def read(answer: Answer) -> Reading:
    trouble = answers.read_trouble(answer, RECEIVER)
    if trouble:
        return trouble
    status = answer.status or 0
    if 200 <= status <= 299:
        return Reading(Verdict.OK, "Discord posted the message.", retry_after=_spent(answer))
    body = answers.json_object(answer.body)
    code = body.get("code")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return replace(answers.read_limited(RECEIVER, _wait(answer, body)), everybody=_is_global(answer, body))
    temporary = answers.read_temporary(answer, RECEIVER)
    if temporary:
        return temporary
    if code == BLOCKED_BY_PROXY or (status == HTTPStatus.FORBIDDEN and answer.body.lstrip().startswith("<")):
        return Reading(
            Verdict.RETRY,
            f"Discord answered {answers.describe(status)}: the proxy in front of it blocked our address. "
            "The webhook itself is not at fault. Messages to Discord wait and are tried again.",
            retry_after=BAN_PAUSE,
            everybody=True,
            ours=True,
        )
    if isinstance(code, int) and code in GONE:
        named, sentence = GONE[code]
        return Reading(Verdict.FAILED, f"Discord answered {status} {named}: {sentence}", gone=True)
    if code == TOO_LARGE:
        return answers.read_too_large(f"Discord answered {answers.describe(status)}")
    if isinstance(code, int) and code in OURS:
        return Reading(
            Verdict.FAILED,
            f"Discord answered {status} {OURS[code]}: it did not accept the form of this message. "
            "That is a fault of ours; the channel works and later messages are sent.",
        )
    if status in GONE_STATUSES:
        return Reading(
            Verdict.FAILED, f"Discord answered {answers.describe(status)}: {GONE_STATUSES[status]}", gone=True
        )
    return answers.read_final(answer, RECEIVER)


def _wait(answer: Answer, body: Mapping[str, object]) -> float:
    """The header has whole seconds, the body fractions: the longer is safe by both. Without JSON it is the proxy."""
    asked = [answers.retry_after_seconds(answer.headers), answers.as_seconds(body.get("retry_after"))]
    return max((seconds for seconds in asked if seconds is not None), default=1.0 if body else BAN_PAUSE)


def _is_global(answer: Answer, body: Mapping[str, object]) -> bool:
    """Whether our address is limited, not this webhook. Without JSON it is the proxy, which knows only the address."""
    return not body or body.get("global") is True or answer.headers.get("x-ratelimit-global", "").lower() == "true"


def _spent(answer: Answer) -> float | None:
    """Seconds until the next message, where this one used up what Discord allows for the moment."""
    if answer.headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    return answers.as_seconds(answer.headers.get("x-ratelimit-reset-after", ""))

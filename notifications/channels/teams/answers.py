"""What the answers of Teams workflows, and of classic connectors, mean.

2xx says that the workflow was queued, not that anything was posted: "accepted" at best. Some 2xx bodies report an
error. Sources: https://learn.microsoft.com/power-automate/limits-and-config,
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from notifications.channels import answers
from notifications.channels.base import Answer, Reading, Verdict

RECEIVER = "Teams"
DEFAULT_PAUSE = 30.0
"""Seconds to wait after a 429 that names no time."""

_COPY_AGAIN = (
    "In the workflow's trigger set “Who can trigger the flow?” to Anyone, copy its URL again and replace the URL here."
)
_NEW_FLOW = "Create a workflow in the channel (… → Workflows) and replace the URL."
GONE_CODES: Mapping[str, str] = {
    "WorkflowTriggerIsNotEnabled": "the workflow is turned off. Turn it on in Power Automate, then send a test.",
    "WorkflowNotFound": f"the workflow was deleted. {_NEW_FLOW}",
    "DirectApiAuthorizationRequired": f"the workflow asks for a sign-in. {_COPY_AGAIN}",
    "DirectApiInvalidAuthorizationScheme": f"the workflow asks for a sign-in. {_COPY_AGAIN}",
    "AuthorizationFailed": f"the URL's signature is not valid any more. {_COPY_AGAIN}",
}
GONE_STATUSES: Mapping[int, str] = {
    401: f"the workflow asks for a sign-in, or the URL's signature is not valid any more. {_COPY_AGAIN}",
    403: f"the workflow may not be triggered by us. {_COPY_AGAIN}",
    404: f"the workflow was deleted, or moved to a new URL. {_NEW_FLOW}",
}

_REPORTED_STATUS = re.compile(r"HTTP error (\d{3})", re.IGNORECASE)
_REPORTED_FAILURES = (
    "webhook message delivery failed",
    "summary or text is required",
    "bad payload received",
    "invalid webhook request",
)
"""How classic connectors begin a 200 that is a failure; their success is "1"."""
_TOO_LARGE = "request entity too large"
_CODE = re.compile(r"[A-Za-z]{1,60}")


def read(answer: Answer) -> Reading:
    trouble = answers.read_trouble(answer, RECEIVER)
    if trouble:
        return trouble
    status = answer.status or 0
    reports_error, code = _reported_error(answer.body)
    if 200 <= status <= 299:
        return _read_success(answer, status, reports_error, code)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return answers.read_limited(RECEIVER, _pause(answer))
    temporary = answers.read_temporary(answer, RECEIVER)
    if temporary:
        return temporary
    gone = GONE_CODES.get(code) or GONE_STATUSES.get(status)
    if gone:
        said = f"{status} {code}" if code else answers.describe(status)
        return Reading(Verdict.FAILED, f"Teams answered {said}: {gone}", gone=True)
    if _TOO_LARGE in answer.body.lower():
        return answers.read_too_large(f"Teams answered {answers.describe(status)}")
    if status == HTTPStatus.BAD_REQUEST:
        return Reading(
            Verdict.FAILED,
            f"Teams answered 400 {code or 'Bad Request'}: the workflow did not accept the message. Check that it was "
            "made from the template for webhook requests and was not changed, then send a test.",
        )
    return answers.read_final(answer, RECEIVER)


def _read_success(answer: Answer, status: int, reports_error: bool, code: str) -> Reading:
    """2xx is believed unless the body says otherwise."""
    said = f"Teams answered {answers.describe(status)}, but reported"
    body = answer.body.lower()
    if code in GONE_CODES:
        return Reading(Verdict.FAILED, f"{said} {code}: {GONE_CODES[code]}", gone=True)
    reported = _REPORTED_STATUS.search(answer.body)
    if reported:
        return _read_reported(answer, int(reported[1]), said)
    if _TOO_LARGE in body:
        return answers.read_too_large(f"{said} “Request Entity too large”")
    if reports_error or body.lstrip().startswith(_REPORTED_FAILURES):
        return Reading(
            Verdict.FAILED,
            f"{said} {f'the error {code}' if code else 'an error'}: the message was not posted. "
            "Look at the run history of the workflow, then send a test.",
        )
    return Reading(
        Verdict.ACCEPTED, "Teams accepted the message and queued it. It does not tell whether it was posted."
    )


def _read_reported(answer: Answer, status: int, said: str) -> Reading:
    """A status that the body of a 2xx reports: what Teams answered to the connector in between."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return answers.read_limited(RECEIVER, _pause(answer))
    said = f"{said} the error {answers.describe(status)}"
    if answers.is_temporary(status):
        return Reading(Verdict.RETRY, f"{said}. This is usually temporary.")
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return answers.read_too_large(said)
    return Reading(
        Verdict.FAILED,
        f"{said}: the message was not posted. If this stays, replace the URL. {_NEW_FLOW}",
        gone=status == HTTPStatus.GONE,
    )


def _pause(answer: Answer) -> float:
    wait = answers.retry_after_seconds(answer.headers)
    return DEFAULT_PAUSE if wait is None else wait


def _reported_error(body: str) -> tuple[bool, str]:
    """Whether the body is JSON that reports an error, and the error's code where it names one."""
    error = answers.json_object(body).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return bool(error), code if isinstance(code, str) and _CODE.fullmatch(code) else ""

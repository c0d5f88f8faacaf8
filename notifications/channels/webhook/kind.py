"""The webhook kind: its configuration, sending, and reading the answer."""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from notifications.channels import answers, urls
from notifications.channels.base import Answer, ChannelKind, Checked, Outgoing, Reading, Verdict
from notifications.channels.webhook import secret as secrets
from notifications.channels.webhook import signature
from notifications.delivery.targets import NameNotResolved, TargetPolicy, TargetRefused, check_target
from projects.entitlements import Category
from projects.errors import Invalid

if TYPE_CHECKING:
    from notifications.delivery.transport import Transport

_RECEIVER = "The receiver"
_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it did not accept the signature or wants a login. Check the secret it verifies with.",
    HTTPStatus.FORBIDDEN: "it refused the request. Check the secret it verifies with, and firewalls in front of it.",
    HTTPStatus.NOT_FOUND: "nothing is there to take webhooks. Check the URL.",
    HTTPStatus.METHOD_NOT_ALLOWED: "it takes no POST requests. Check the URL.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the event is larger than it allows. Let it take bodies of up to 100 KB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "it does not take JSON. Check the URL.",
}


class Webhook(ChannelKind):
    """`config`: url, secret, and next_secret while one is staged (`rotation`)."""

    name: ClassVar[str] = "webhook"
    label: ClassVar[str] = "Webhook"
    icon: ClassVar[str] = "webhook"
    category: ClassVar[Category] = Category.WEBHOOK
    settings: ClassVar[frozenset[str]] = frozenset({"url", "secret"})
    setup_steps: ClassVar[tuple[str, ...]] = (
        "Set up an https endpoint that takes POST requests with a JSON body and answers 2xx within 15 seconds.",
        "Enter its URL here. Leave the secret empty to get one generated, which is shown once.",
        "Let the endpoint verify X-AegisRunner-Signature with that secret, and skip delivery ids it has seen before.",
        "Send a test.",
    )

    def check(self, submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> Checked:
        """The URL is resolved only when it changes, so a receiver whose name is away can still be renamed or paused."""
        fields: dict[str, list[str]] = {}
        url, secret = "", ""
        warnings: list[str] = []
        new_secret: str | None = None
        try:
            url, warnings = _check_url(submitted, current)
        except Invalid as error:
            fields |= error.fields
        try:
            secret, new_secret = _check_secret(submitted.get("secret"), (current or {}).get("secret"))
        except Invalid as error:
            fields |= error.fields
        if fields:
            raise Invalid(fields)
        config = {"url": url, "secret": secret}
        if current and current.get("next_secret"):
            config["next_secret"] = current["next_secret"]
        return Checked(config=config, url=url, warnings=tuple(warnings), new_secret=new_secret)

    def send(self, outgoing: Outgoing, transport: "Transport") -> Answer:
        body = outgoing.body.encode()
        headers = signature.headers(
            delivery_id=outgoing.delivery_id,
            event=outgoing.event,
            at=outgoing.at,
            body=body,
            secret=outgoing.config["secret"],
            next_secret=outgoing.config.get("next_secret") or None,
        )
        return transport.http.post(outgoing.config["url"], body, headers)

    def read(self, answer: Answer) -> Reading:
        """2xx is success. Everything else is tried again, also redirects and 4xx: an hour of 401 during the receiver's
        deploy must not lose events. Final are only an address that is not allowed and 410, which says "stop".
        """
        if trouble := answers.read_trouble(answer, _RECEIVER):
            return trouble
        status = answer.status or 0
        said = f"{_RECEIVER} answered {answers.describe(status)}"
        if 200 <= status <= 299:
            return Reading(Verdict.OK, f"{said}.")
        if temporary := answers.read_temporary(answer, _RECEIVER):
            return temporary
        if status == HTTPStatus.GONE:
            return Reading(Verdict.FAILED, f"{said}: it wants no more webhooks at this URL.", gone=True)
        if 300 <= status <= 399:
            advice = "a redirect, and redirects are never followed. Replace the URL by the one it leads to."
        else:
            advice = _ADVICE.get(status, "")
        return Reading(Verdict.RETRY, f"{said}: {advice}" if advice else f"{said}. Only 2xx counts as received.")

    def target(self, config: Mapping[str, Any]) -> str:
        return urls.mask(str(config.get("url") or ""))

    def host(self, config: Mapping[str, Any]) -> str:
        return urls.host_and_port(str(config.get("url") or "")) or self.name


def _check_url(submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> tuple[str, list[str]]:
    url = urls.submitted_url(submitted, current)
    kept = str((current or {}).get("url") or "")
    if url is None or url == kept:
        return kept, []
    if len(url) > urls.MAX_URL_LENGTH:
        raise urls.refuse(f"The URL has {len(url):,} characters; {urls.MAX_URL_LENGTH:,} are allowed.")
    if "…" in url or "•" in url:
        raise urls.refuse("This is the masked URL, as pages show it. Enter the whole URL.")
    try:
        return check_target(url, TargetPolicy.from_settings()), []
    except TargetRefused as refused:
        raise urls.refuse(refused.sentence) from None
    except NameNotResolved as unknown:
        return unknown.checked, ["The host name of the URL has no address at the moment. Check it, then send a test."]


def _check_secret(submitted: Any, current: Any) -> tuple[str, str | None]:
    """The secret to store, and it once more when it was generated here. An empty one counts as not submitted."""
    if submitted in (None, ""):
        if current:
            return str(current), None
        generated = secrets.generate()
        return generated, generated
    if problem := secrets.problem(submitted):
        raise Invalid({"secret": [problem]})
    if current and not hmac.compare_digest(str(submitted).encode(), str(current).encode()):
        raise Invalid(
            {
                "secret": [
                    "The secret of an existing channel is changed by rotating it, so that no event fails to verify: "
                    "stage the new one with “Rotate secret”, then activate it."
                ]
            }
        )
    return str(submitted), None

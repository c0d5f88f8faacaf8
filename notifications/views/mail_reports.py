"""Where mail providers report bounces and complaints: django-anymail's webhooks, behind a secret that must be set."""

import logging
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

logger = logging.getLogger(__name__)

# As anymail's own addresses name them. Its `urls` would load all of them, and the ways for incoming mail, in every
# process.
_PROVIDERS = {
    "amazon_ses": "AmazonSESTrackingWebhookView",
    "brevo": "BrevoTrackingWebhookView",
    "mailersend": "MailerSendTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "mailjet": "MailjetTrackingWebhookView",
    "mailtrap": "MailtrapTrackingWebhookView",
    "mandrill": "MandrillCombinedWebhookView",
    "postal": "PostalTrackingWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "resend": "ResendTrackingWebhookView",
    "sendgrid": "SendGridTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
    "unisender_go": "UnisenderGoTrackingWebhookView",
}


# The secret is the permission; providers have neither cookies nor tokens.
@csrf_exempt
def mail_report(request: HttpRequest, provider: str) -> HttpResponse:
    """A provider's report. It signs in with `ANYMAIL_WEBHOOK_SECRET` (HTTP Basic); anymail compares in constant time.

    Without that setting everything is refused: reports of strangers could stop anybody's mail.
    """
    name = _PROVIDERS.get(provider)
    if name is None:
        raise Http404
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        logger.error("A report of %s was refused: ANYMAIL_WEBHOOK_SECRET is not set.", provider)
        return _plain("Reports are refused until ANYMAIL_WEBHOOK_SECRET is set.", 403)
    view: Any = import_string(f"anymail.webhooks.{provider}.{name}").as_view()
    try:
        return view(request)
    except AnymailWebhookValidationFailure as refusal:
        logger.warning("A report of %s was refused: %s", provider, refusal)
        return _plain("The secret or signature is missing or wrong.", 403)
    except ImproperlyConfigured:
        logger.exception("A report of %s was refused: the settings lack what checks its signature.", provider)
        return _plain(f"The settings for {provider} are not complete; the log says what is missing.", 503)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Whoever knows the secret sent something else than that provider sends.
        logger.exception("A report of %s could not be read.", provider)
        return _plain(f"This is not a report of {provider}.", 400)


def _plain(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")

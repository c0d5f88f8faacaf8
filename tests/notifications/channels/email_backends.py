"""Mail backends that fail in their own ways."""

from django.core.mail.backends.base import BaseEmailBackend


class TakesNothing(BaseEmailBackend):
    def send_messages(self, email_messages):
        return 0

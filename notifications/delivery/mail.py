"""Mail as the engine knows it: the shared client is a `transport.MailClient`."""

from aegisnotify.mail import DjangoMailClient, send_mail_now

__all__ = ["DjangoMailClient", "send_mail_now"]

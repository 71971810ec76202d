"""The senders that the settings name."""

from urllib.parse import urlsplit

from receiver.alarms.senders.base import AlarmSender
from receiver.alarms.senders.mail import MailSender, MailServer
from receiver.alarms.senders.ntfy import NtfySender
from receiver.alarms.senders.telegram import TelegramSender
from receiver.alarms.senders.webhook import WebhookSender
from receiver.settings import ContactSettings
from shared.clock import Clock

_LOCAL = {"127.0.0.1", "::1", "localhost"}


def make_senders(contacts: ContactSettings, clock: Clock) -> list[AlarmSender]:
    """One for each channel whose settings are complete."""
    senders: list[AlarmSender] = []
    if contacts.ntfy is not None:
        senders.append(NtfySender(*contacts.ntfy))
    if contacts.telegram is not None:
        senders.append(TelegramSender(*contacts.telegram))
    if contacts.webhook is not None:
        senders.append(WebhookSender(*contacts.webhook))
    if contacts.smtp_url is not None and contacts.smtp_from is not None:
        server = _make_mail_server(contacts.smtp_url, contacts.smtp_user, contacts.smtp_password)
        senders.append(MailSender(server, contacts.smtp_from, contacts.smtp_to, clock))
    return senders


def _make_mail_server(url: str, user: str | None, password: str | None) -> MailServer:
    parts = urlsplit(url)
    host, is_tls = parts.hostname or "", parts.scheme == "smtps"
    return MailServer(host, parts.port or (465 if is_tls else 587), is_tls, host in _LOCAL, user, password)

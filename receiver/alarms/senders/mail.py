"""E-mail over SMTP. The Message-ID is made of the notice's id; not every mailbox looks at it, so no repeat in doubt.

Name and password, and the mail itself, go only over TLS or to this machine.
"""

import asyncio
import contextlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import NamedTuple

import structlog

from receiver.alarms.messages import Notice
from receiver.alarms.senders.base import TIMEOUT_S, SendError
from shared.clock import Clock
from shared.connection_failures import explain_failure

_log = structlog.get_logger()


class MailServer(NamedTuple):
    """Where mail is given away.

    Attributes:
        host: Its name.
        port: Its port.
        is_tls: Whether TLS begins with the connection.
        is_local: Whether it is this machine, which needs no TLS.
        user: Name of the account, or None.
        password: Of the account, or None.
    """

    host: str
    port: int
    is_tls: bool
    is_local: bool
    user: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


class MailSender:
    """Sends mails.

    Args:
        server: Where they are given away.
        sender: Address that they come from.
        recipients: Addresses that they go to.
        clock: For their date.
        context: Whom TLS trusts; None: as this machine does.
    """

    name = "email"
    recognises_repetition = False

    def __init__(
        self,
        server: MailServer,
        sender: str,
        recipients: tuple[str, ...],
        clock: Clock,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._clock = clock
        self._context = context

    async def send(self, notice: Notice) -> None:
        """As `AlarmSender.send`."""
        mail = make_mail(notice, self._sender, self._recipients, self._clock.now_ms() / 1000)
        try:
            await asyncio.to_thread(self._give_away, mail)
        except smtplib.SMTPAuthenticationError as error:
            raise SendError(f"the mail server refused SMTP_USER and its password ({error.smtp_code})") from None
        except smtplib.SMTPRecipientsRefused:
            raise SendError("the mail server takes mail for none of the addresses in SMTP_TO") from None
        except smtplib.SMTPResponseException as error:
            raise SendError(f"the mail server refused the mail ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError:
            raise SendError("the mail server offers no STARTTLS or no login: write smtps:// in SMTP_URL") from None
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(f"the mail server cannot be reached ({explain_failure(error)})") from None

    def _give_away(self, mail: EmailMessage) -> None:
        server = self._server
        context = self._context or ssl.create_default_context()
        connection: smtplib.SMTP = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
            if server.is_tls
            else smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        )
        try:
            if not server.is_tls and not server.is_local:
                connection.starttls(context=context)
            if server.user is not None and server.password is not None:
                connection.login(server.user, server.password)
            refused = connection.send_message(mail, self._sender, list(self._recipients))
        except BaseException:
            connection.close()
            raise
        with contextlib.suppress(smtplib.SMTPException, OSError):  # the mail is taken, whatever comes of the farewell
            connection.quit()
        if refused:  # others have it: a repetition would reach them twice
            _log.warning("the mail server takes no mail for some addresses in SMTP_TO", refused=len(refused))


def make_mail(notice: Notice, sender: str, recipients: tuple[str, ...], now_s: float) -> EmailMessage:
    """The mail of a notice."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = notice.title
    mail["Date"] = formatdate(now_s)
    mail["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2] or 'envoy-relay.invalid'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join([notice.text, *([notice.link] if notice.link else [])]) + "\n")
    return mail

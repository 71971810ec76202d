"""Where alarms go, and who sends them: the receiver itself, or Grafana.

A channel is used when its settings are complete. One that is half set is an error that names what is missing.
"""

import re
from collections.abc import Iterator
from datetime import time
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from receiver.settings.source import ExpandedPath, SecretText, SettingsModel, Variable

_CHAT = re.compile(r"-?\d+|@\w+")
_Private = Annotated[str | None, Field(repr=False)]
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_MAIL = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")


def _parse_clock(text: str, setting: str, example: str) -> time:
    if (found := _CLOCK.fullmatch(text.strip())) is None:
        raise ValueError(f"{setting} must look like {example}, by the clock of the site")
    return time(int(found[1]), int(found[2]))


def _parse_quiet_hours(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    start, _, stop = value.partition("-")
    return tuple(_parse_clock(part, "ALARM_QUIET_HOURS", "22:00-07:00") for part in (start, stop))


def _parse_digest(value: Any) -> Any:
    return _parse_clock(value, "ALARM_DIGEST", "08:00") if isinstance(value, str) else value


def _split_addresses(value: Any) -> Any:
    return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


class ContactSettings(SettingsModel):
    """Who hears of alarms.

    Attributes:
        alerting_dir: Where Grafana reads `provisioning/alerting`; None: nothing is written.
        ntfy_url: Server and topic.
        ntfy_token: For a topic that needs one.
        telegram_bot_token: The bot that writes.
        telegram_chat_id: The chat or channel that it writes to.
        webhook_url: Where alarms are posted.
        webhook_token: Sent as a bearer token.
        smtp_url: Where mail is given away: smtps://HOST (TLS) or smtp://HOST (STARTTLS), with a port if it is another.
        smtp_user: Account at the mail server, if it wants one.
        smtp_password: Of that account.
        smtp_from: Address that mails come from.
        smtp_to: Addresses that they go to.
        alarm_sender: Who sends; None: Grafana where it was given a directory, else the receiver.
        alarm_quiet_hours: From and until when only critical alarms are told, by the clock of the site.
        alarm_digest: When a digest is sent each day.
    """

    alerting_dir: Annotated[ExpandedPath | None, Variable("GRAFANA_ALERTING_DIR")] = None
    ntfy_url: _Private = None
    ntfy_token: SecretText = None
    telegram_bot_token: SecretText = None
    telegram_chat_id: _Private = None
    webhook_url: _Private = None
    webhook_token: SecretText = None
    smtp_url: _Private = None
    smtp_user: _Private = None
    smtp_password: SecretText = None
    smtp_from: _Private = None
    smtp_to: Annotated[tuple[str, ...], BeforeValidator(_split_addresses), Field(repr=False)] = ()
    alarm_sender: Literal["receiver", "grafana"] | None = None
    alarm_quiet_hours: Annotated[tuple[time, time] | None, BeforeValidator(_parse_quiet_hours)] = None
    alarm_digest: Annotated[time | None, BeforeValidator(_parse_digest)] = None

    @property
    def is_sent_by_receiver(self) -> bool:
        """Whether the receiver sends alarms itself; both would tell people everything twice."""
        if self.alarm_sender is None:
            return self.alerting_dir is None
        return self.alarm_sender == "receiver"

    @property
    def ntfy(self) -> tuple[str, str | None] | None:
        """Address of server and topic, and the token or None; None if nothing goes there."""
        return None if self.ntfy_url is None else (self.ntfy_url.rstrip("/"), self.ntfy_token)

    @property
    def telegram(self) -> tuple[str, str] | None:
        """Bot token and chat id; None if nothing goes there."""
        if self.telegram_bot_token is None or self.telegram_chat_id is None:
            return None
        return self.telegram_bot_token, self.telegram_chat_id

    @property
    def webhook(self) -> tuple[str, str | None] | None:
        """Address, and the bearer token or None; None if nothing goes there."""
        return None if self.webhook_url is None else (self.webhook_url, self.webhook_token)

    @property
    def is_empty(self) -> bool:
        """Whether nobody hears of alarms that Grafana sends: it is not told of e-mail."""
        return self.ntfy is None and self.telegram is None and self.webhook is None

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._find_incomplete(), *self._find_wrong_forms()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _find_incomplete(self) -> Iterator[str]:
        for given, value, needed, other in (
            ("NTFY_TOKEN", self.ntfy_token, "NTFY_URL", self.ntfy_url),
            ("TELEGRAM_BOT_TOKEN", self.telegram_bot_token, "TELEGRAM_CHAT_ID", self.telegram_chat_id),
            ("TELEGRAM_CHAT_ID", self.telegram_chat_id, "TELEGRAM_BOT_TOKEN", self.telegram_bot_token),
            ("WEBHOOK_TOKEN", self.webhook_token, "WEBHOOK_URL", self.webhook_url),
            ("SMTP_URL", self.smtp_url, "SMTP_FROM", self.smtp_from),
            ("SMTP_URL", self.smtp_url, "SMTP_TO", self.smtp_to),
            ("SMTP_FROM", self.smtp_from, "SMTP_URL", self.smtp_url),
            ("SMTP_TO", self.smtp_to, "SMTP_URL", self.smtp_url),
            ("SMTP_USER", self.smtp_user, "SMTP_URL", self.smtp_url),
            ("SMTP_USER", self.smtp_user, "SMTP_PASSWORD", self.smtp_password),
            ("SMTP_PASSWORD", self.smtp_password, "SMTP_USER", self.smtp_user),
        ):
            if value and not other:
                yield f"{given} is set without {needed}: set both, or neither"

    def _find_wrong_forms(self) -> Iterator[str]:
        if self.ntfy_url is not None and not _is_address(self.ntfy_url, is_topic=True):
            yield "NTFY_URL must be an address like https://ntfy.sh/my-roof"
        if self.webhook_url is not None and not _is_address(self.webhook_url):
            yield "WEBHOOK_URL must be an address like https://example.org/alarms"
        if self.telegram_chat_id is not None and not _CHAT.fullmatch(self.telegram_chat_id):
            yield "TELEGRAM_CHAT_ID must be the number of a chat (e.g. -1001234567890) or @name of a channel"
        if self.smtp_url is not None and not _is_mail_server(self.smtp_url):
            yield "SMTP_URL must be smtps://HOST or smtp://HOST, with a port if it is another than 465 or 587, no more"
        if self.smtp_from is not None and not _MAIL.fullmatch(self.smtp_from):
            yield "SMTP_FROM must be one address like roof@example.org"
        if not all(map(_MAIL.fullmatch, self.smtp_to)):
            yield "SMTP_TO must be addresses like me@example.org, separated by commas"


def _is_mail_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return fits and not (parts.username or parts.path.strip("/") or parts.query or parts.fragment)


def _is_address(url: str, *, is_topic: bool = False) -> bool:
    try:
        parts = urlsplit(url)
        fits = bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        return False
    return fits and not (is_topic and (len(parts.path) < 2 or parts.query or parts.fragment))

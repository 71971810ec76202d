"""Where alarms go.

A channel is used when its settings are complete. One that is half set is an error that names what is missing.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from receiver.settings.source import ExpandedPath, SecretText, SettingsModel, Variable

_CHAT = re.compile(r"-?\d+|@\w+")
_Private = Annotated[str | None, Field(repr=False)]


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
    """

    alerting_dir: Annotated[ExpandedPath | None, Variable("GRAFANA_ALERTING_DIR")] = None
    ntfy_url: _Private = None
    ntfy_token: SecretText = None
    telegram_bot_token: SecretText = None
    telegram_chat_id: _Private = None
    webhook_url: _Private = None
    webhook_token: SecretText = None

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
        """Whether nobody hears of alarms."""
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


def _is_address(url: str, *, is_topic: bool = False) -> bool:
    try:
        parts = urlsplit(url)
        fits = bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        return False
    return fits and not (is_topic and (len(parts.path) < 2 or parts.query or parts.fragment))

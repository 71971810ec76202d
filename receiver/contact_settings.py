"""Where alarms go, as people write it down, checked. `receiver.settings` reads the environment.

A channel is used when its settings are complete; one that is half set is a fault that is named, never guessed at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from receiver.database_settings import secret_text
from receiver.errors import ReceiverSettingError

_CHAT = re.compile(r"-?\d+|@\w+")


class ContactEnvironment(BaseSettings):
    """The settings as people write them."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    grafana_alerting_dir: Path | None = None
    ntfy_url: str | None = None
    ntfy_token: SecretStr | None = None
    ntfy_token_file: Path | None = None
    telegram_bot_token: SecretStr | None = None
    telegram_bot_token_file: Path | None = None
    telegram_chat_id: str | None = None
    webhook_url: str | None = None
    webhook_token: SecretStr | None = None
    webhook_token_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ContactSettings:
    """Who is told of alarms; None is nobody.

    Attributes:
        alerting_dir: Where Grafana reads `provisioning/alerting`; None: nothing is written.
        ntfy: Address of server and topic, and the token or None.
        telegram: Bot token and chat id.
        webhook: Address, and the bearer token or None.
    """

    alerting_dir: Path | None
    ntfy: tuple[str, str | None] | None = field(repr=False)
    telegram: tuple[str, str] | None = field(repr=False)
    webhook: tuple[str, str | None] | None = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is told."""
        return self.ntfy is None and self.telegram is None and self.webhook is None


def contact_settings(raw: ContactEnvironment) -> ContactSettings:
    """The settings, checked. Raises SettingError, one line per fault."""
    ntfy_token = secret_text("NTFY_TOKEN", raw.ntfy_token, raw.ntfy_token_file)
    bot_token = secret_text("TELEGRAM_BOT_TOKEN", raw.telegram_bot_token, raw.telegram_bot_token_file)
    webhook_token = secret_text("WEBHOOK_TOKEN", raw.webhook_token, raw.webhook_token_file)
    faults = [
        *_pair("NTFY_TOKEN", ntfy_token, "NTFY_URL", raw.ntfy_url),
        *_pair("TELEGRAM_BOT_TOKEN", bot_token, "TELEGRAM_CHAT_ID", raw.telegram_chat_id),
        *_pair("TELEGRAM_CHAT_ID", raw.telegram_chat_id, "TELEGRAM_BOT_TOKEN", bot_token),
        *_pair("WEBHOOK_TOKEN", webhook_token, "WEBHOOK_URL", raw.webhook_url),
        *_address("NTFY_URL", raw.ntfy_url, "https://ntfy.sh/my-roof", is_topic=True),
        *_address("WEBHOOK_URL", raw.webhook_url, "https://example.org/alarms"),
    ]
    if raw.telegram_chat_id and not _CHAT.fullmatch(raw.telegram_chat_id):
        faults.append("TELEGRAM_CHAT_ID must be the number of a chat (e.g. -1001234567890) or @name of a channel")
    if faults:
        raise ReceiverSettingError("\n".join(faults))
    return ContactSettings(
        alerting_dir=None if raw.grafana_alerting_dir is None else raw.grafana_alerting_dir.expanduser(),
        ntfy=None if raw.ntfy_url is None else (raw.ntfy_url.rstrip("/"), ntfy_token),
        telegram=(bot_token, raw.telegram_chat_id) if bot_token and raw.telegram_chat_id else None,
        webhook=None if raw.webhook_url is None else (raw.webhook_url, webhook_token),
    )


def _pair(given: str, value: str | None, needed: str, other: str | None) -> Iterator[str]:
    if value and not other:
        yield f"{given} is set without {needed}: set both, or neither"


def _address(name: str, url: str | None, example: str, *, is_topic: bool = False) -> Iterator[str]:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    else:
        fits = fits and not (is_topic and (len(parts.path) < 2 or parts.query or parts.fragment))
    if not fits:
        yield f"{name} must be an address like {example}"

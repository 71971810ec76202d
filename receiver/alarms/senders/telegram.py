"""A chat with a bot of Telegram. Its API knows no id of a message to be sent, so it is not repeated when in doubt."""

import msgspec

from receiver.alarms.messages import Notice
from receiver.alarms.senders.base import HttpPoster

API = "https://api.telegram.org"
_MOST_CHARACTERS = 4096


class TelegramSender:
    """Writes into one chat.

    Args:
        bot_token: Of the bot.
        chat_id: Of the chat or channel.
        api: Where the API is.
    """

    name = "telegram"
    recognises_repetition = False

    def __init__(self, bot_token: str, chat_id: str, api: str = API) -> None:
        self._poster = HttpPoster(f"{api}/bot{bot_token}/sendMessage", "Telegram")
        self._chat_id = chat_id

    async def send(self, notice: Notice) -> None:
        """As `AlarmSender.send`."""
        lines = [notice.title, notice.text, *([notice.link] if notice.link else [])]
        document = {
            "chat_id": self._chat_id,
            "text": "\n".join(lines)[:_MOST_CHARACTERS],
            "link_preview_options": {"is_disabled": True},
        }
        await self._poster.post(msgspec.json.encode(document), {"content-type": "application/json"})

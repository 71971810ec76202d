"""A topic of ntfy.

The id of the notice is its sequence id: ntfy 2.16 and later replaces a notification that comes again. Older servers
would show it twice, so it is not repeated when in doubt.
"""

from email.header import Header

from receiver.alarms.definitions import Severity
from receiver.alarms.messages import Notice
from receiver.alarms.senders.base import HttpPoster


class NtfySender:
    """Posts to a topic.

    Args:
        url: Server and topic.
        token: Where the topic needs one.
    """

    name = "ntfy"
    recognises_repetition = False

    def __init__(self, url: str, token: str | None) -> None:
        self._poster = HttpPoster(url, "ntfy")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def send(self, notice: Notice) -> None:
        """As `AlarmSender.send`."""
        is_urgent = notice.turn == "began" and notice.severity == Severity.CRITICAL
        tag = "white_check_mark" if notice.turn == "ended" else "rotating_light" if is_urgent else "warning"
        headers = {
            **self._headers,
            "content-type": "text/plain; charset=utf-8",
            "x-title": _encode_header(notice.title),
            "x-priority": "5" if is_urgent else "3",
            "x-tags": tag,
            "x-sequence-id": notice.id,
        }
        if notice.link is not None:
            headers["x-click"] = notice.link
        await self._poster.post(notice.text.encode(), headers)


def _encode_header(text: str) -> str:
    """ASCII as it is, all else as RFC 2047 says, which ntfy reads."""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()

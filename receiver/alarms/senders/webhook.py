"""Any address: the notice as JSON. Its id stands in the body and in `Idempotency-Key`, so it may be repeated."""

import msgspec

from receiver.alarms.messages import Notice
from receiver.alarms.senders.base import HttpPoster


class WebhookSender:
    """Posts to an address.

    Args:
        url: The address.
        token: Sent as a bearer token, if there is one.
    """

    name = "webhook"
    recognises_repetition = True

    def __init__(self, url: str, token: str | None) -> None:
        self._poster = HttpPoster(url, "the webhook")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def send(self, notice: Notice) -> None:
        """As `AlarmSender.send`."""
        headers = {**self._headers, "content-type": "application/json", "idempotency-key": notice.id}
        await self._poster.post(msgspec.json.encode(notice), headers)

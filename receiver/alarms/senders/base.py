"""What every sender promises, and the one way in which those over HTTP post."""

from collections.abc import Mapping
from typing import Protocol

import httpx
import msgspec

from receiver.alarms.messages import Notice
from shared.connection_failures import explain_failure

TIMEOUT_S = 10.0
"""For each step of one attempt, in seconds."""
_MOST_BYTES = 64 * 1024


class SendError(Exception):
    """An attempt failed. The message is a sentence for the log, without a secret.

    Attributes:
        retry_after_s: Not sooner, in seconds, where the other side says so.
    """

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class AlarmSender(Protocol):
    """One channel."""

    @property
    def name(self) -> str:
        """Its name, for settings, log and metrics."""
        ...

    @property
    def recognises_repetition(self) -> bool:
        """Whether whoever gets a notice twice can tell by its id, so that it may be repeated when in doubt."""
        ...

    async def send(self, notice: Notice) -> None:
        """Send once. Raises SendError if it was not taken, or if nobody can say whether it was."""
        ...


class _TelegramRefusal(msgspec.Struct):
    """As much of an answer of Telegram as matters."""

    parameters: dict[str, float] = {}


class HttpPoster:
    """Posts to one address, whose host alone is named in messages: the rest may be a secret.

    Args:
        url: The address.
        who: What it is, for messages.
    """

    def __init__(self, url: str, who: str) -> None:
        self._url = url
        self._who = who

    async def post(self, content: bytes, headers: Mapping[str, str]) -> bytes:
        """The beginning of the answer, if it is a success. Raises SendError."""
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_S) as client,
                client.stream("POST", self._url, content=content, headers=headers) as answer,
            ):
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _MOST_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise SendError(f"{self._who} cannot be reached ({explain_failure(error)})") from None
        if answer.is_success:
            return body
        raise SendError(
            f"{self._who} refused it ({answer.status_code}){_explain_status(answer.status_code)}",
            _read_retry_after(answer, body),
        )


def _explain_status(status: int) -> str:
    if status in (401, 403):
        return ": the token may be wrong"
    if status == httpx.codes.NOT_FOUND:
        return ": the address or the token may be wrong"
    return ""


def _read_retry_after(answer: httpx.Response, body: bytes) -> float | None:
    """Seconds from the header; Telegram says them in its answer."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return min(float(text), 3600.0)
    try:
        parameters = msgspec.json.decode(body, type=_TelegramRefusal).parameters
    except msgspec.DecodeError:
        return None
    return min(parameters.get("retry_after", 0.0), 3600.0) or None

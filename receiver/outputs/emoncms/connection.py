"""Speaks to EmonCMS: rows in, and what its answers mean. It answers 200 to nearly everything, so the body decides."""

from collections.abc import Sequence

import msgspec
import structlog

from receiver.outputs.base import Delivered, OutputError
from receiver.outputs.emoncms.rows import EmonRow, encode_bulk, encode_post
from receiver.outputs.http import TargetConnection, TargetReply
from receiver.settings import EmonCmsSettings
from shared.logs import redact
from shared.units import MINUTE_S

MOST_ROWS = 500
"""In one `input/bulk`."""
_FEW_ROWS = 3
"""So many go one by one, as the scripts sent them."""
_SET_UP_AGAIN_S = 5.0 * MINUTE_S
_SHOWN_ROWS = 5
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_NO_DATA = "Request contains no data"
_log = structlog.get_logger()


class _EmonAnswer(msgspec.Struct):
    success: bool = False
    message: str = ""


class EmonCmsConnection:
    """One EmonCMS with one key.

    Args:
        url: Its base address.
        settings: Key and certificate.
    """

    def __init__(self, url: str, settings: EmonCmsSettings) -> None:
        login = {"authorization": f"Bearer {settings.api_key}"}  # a key in the query would stand in every access log
        self._connection = TargetConnection(url, "the EmonCMS of RECEIVER_EMONCMS_URL", login, settings.ca_file)
        self._shown = 0

    async def send_rows(self, rows: Sequence[EmonRow]) -> Delivered:
        """Send rows in their order: a few one by one, more of them together. Raises OutputError."""
        step = 1 if len(rows) <= _FEW_ROWS else MOST_ROWS
        sent = put_aside = 0
        for first in range(0, len(rows), step):
            taken = await self._send(rows[first : first + step])
            sent, put_aside = sent + taken.sent, put_aside + taken.put_aside
        return Delivered(sent, put_aside)

    async def check(self, node: str) -> str:
        """Ask without writing whether values would be taken, and say so. Raises OutputError."""
        reply = await self._connection.send("POST", "/input/post", content=f"node={node}".encode(), headers=_FORM)
        if not _read_message(reply).startswith(_NO_DATA):
            _judge(reply)
        off = await self._connection.send("GET", "/input/isdisabled")
        if off.status == 200 and off.body.strip() == b"true":
            raise OutputError("new inputs are switched off there, and would be dropped without a word", "refused")
        return "the API key may write"

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _send(self, rows: Sequence[EmonRow]) -> Delivered:
        """Send rows; in halves where something among them is refused, until it stands alone and is put aside."""
        if len(rows) == 1:
            reply = await self._connection.send("POST", "/input/post", content=encode_post(rows[0]), headers=_FORM)
        else:
            reply = await self._connection.send(
                "POST", "/input/bulk", content=encode_bulk(rows), params={"time": "0"}, headers=_FORM
            )
        if _judge(reply):
            return Delivered(len(rows))
        if len(rows) == 1:
            self._show(rows[0], reply)
            return Delivered(put_aside=1)
        half = len(rows) // 2
        first, second = await self._send(rows[:half]), await self._send(rows[half:])
        return Delivered(first.sent + second.sent, first.put_aside + second.put_aside)

    def _show(self, row: EmonRow, reply: TargetReply) -> None:
        """Name a row that is put aside; of many the first are enough."""
        self._shown += 1
        if self._shown <= _SHOWN_ROWS:
            _log.warning(
                "EmonCMS refuses a row for good; it is put aside",
                node=row.node,
                time=row.time,
                reason=redact(_read_message(reply), 200),
            )


def _judge(reply: TargetReply) -> bool:
    """Whether rows were taken; False if something in them has a form that is refused. Raises OutputError otherwise."""
    text = reply.body.decode(errors="replace").strip()
    if reply.status == 401:
        raise OutputError(
            "EmonCMS does not know the key: correct RECEIVER_EMONCMS_API_KEY (the read & write key of the account)",
            "login",
            _SET_UP_AGAIN_S,
            is_general=True,
        )
    if reply.status != 200:
        raise OutputError(
            f"there is no EmonCMS at RECEIVER_EMONCMS_URL (it answers {reply.status}): correct the address, which "
            "mostly ends in /emoncms",
            "refused",
            _SET_UP_AGAIN_S,
            is_general=True,
        )
    if not text:
        raise OutputError(
            "the API key may read but not write: set RECEIVER_EMONCMS_API_KEY to the read & write key",
            "login",
            _SET_UP_AGAIN_S,
            is_general=True,
        )
    answer = _read_answer(reply)
    if text == "ok" or answer.success:
        return True
    if answer.message.startswith("Format error"):
        return False
    said = redact(answer.message or text, 200)
    raise OutputError(f"EmonCMS does not take the values ({said})", "refused", _SET_UP_AGAIN_S)


def _read_answer(reply: TargetReply) -> _EmonAnswer:
    try:
        return msgspec.json.decode(reply.body, type=_EmonAnswer)
    except msgspec.DecodeError:
        return _EmonAnswer()


def _read_message(reply: TargetReply) -> str:
    return _read_answer(reply).message

"""Speaks to PVOutput: batches of statuses, days, and what its answers mean."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import structlog

from receiver.outputs.base import Delivered, OutputError
from receiver.outputs.http import TargetConnection, TargetReply
from receiver.outputs.pvoutput.limits import HourlyLimit
from receiver.outputs.pvoutput.statuses import PvStatus
from receiver.settings import PvOutputSettings
from shared.clock import Clock
from shared.logs import redact
from shared.units import HOUR_S

MOST_STATUSES = 30
"""In one batch."""
_SYSTEM_FIELDS = 16
"""Of the description of a system, which end with its status interval."""
_SHOWN = 5
_ZONE_PROBLEMS = ("date is in the future", "invalid date")
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_log = structlog.get_logger()


class PvOutputConnection:
    """PVOutput with one key.

    Args:
        settings: Address and key.
        clock: Which hour of its limit it is.
    """

    def __init__(self, settings: PvOutputSettings, clock: Clock) -> None:
        login = {"x-pvoutput-apikey": settings.api_key or "", "x-rate-limit": "1"}
        self._connection = TargetConnection(settings.url or "", "PVOutput", login)
        self._limit = HourlyLimit(clock)
        self._shown = 0

    async def send_statuses(self, system: int, statuses: Sequence[PvStatus], *, is_old: bool) -> Delivered:
        """Send at most `MOST_STATUSES`. Raises OutputError."""
        data = ";".join(one.write() for one in statuses)
        reply = await self._post("addbatchstatus.jsp", system, {"data": data}, is_old=is_old)
        if reply.status == 200:
            refused = _list_refused(reply, statuses)
            for one in refused:
                self._show(one, "not added")
            return Delivered(len(statuses) - len(refused), len(refused))
        said = _read_text(reply)
        if len(statuses) == 1:
            self._show(statuses[0], said)
            return Delivered(put_aside=1)
        half = len(statuses) // 2
        first = await self.send_statuses(system, statuses[:half], is_old=is_old)
        second = await self.send_statuses(system, statuses[half:], is_old=is_old)
        return Delivered(first.sent + second.sent, first.put_aside + second.put_aside)

    async def send_day(self, system: int, fields: Mapping[str, str]) -> Delivered:
        """Send the sums of a day. Raises OutputError."""
        reply = await self._post("addoutput.jsp", system, fields, is_old=True)
        if reply.status == 200:
            return Delivered(1)
        _log.warning("PVOutput refuses the sums of a day", day=fields["d"], reason=_read_text(reply))
        return Delivered(put_aside=1)

    async def check(self, system: int) -> str:
        """Ask without writing what PVOutput knows of a system, and say so. Raises OutputError."""
        reply = await self._post("getsystem.jsp", system, {}, is_old=True)
        if reply.status != 200:
            raise OutputError(f"PVOutput answers {_read_text(reply)}", "refused")
        described = _read_text(reply).split(";")[0].split(",")
        if len(described) < _SYSTEM_FIELDS or not described[0].strip():
            raise OutputError(
                f"what answers does not describe system {system} as PVOutput does: check RECEIVER_PVOUTPUT_URL",
                "refused",
            )
        return f"system {system} is {redact(described[0], 60)!r}"

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _post(self, page: str, system: int, fields: Mapping[str, str], *, is_old: bool) -> TargetReply:
        """Post, unless the hour has no room for it; return replies 200 and 400. Raises OutputError."""
        self._limit.take(is_old=is_old)
        reply = await self._connection.send(
            "POST",
            f"/service/r2/{page}",
            content=urlencode(fields).encode(),
            headers={**_FORM, "x-pvoutput-systemid": str(system)},
        )
        self._limit.see(reply.headers)
        said = _read_text(reply)
        if reply.status == 401:
            raise OutputError(
                f"PVOutput refuses the login ({said}): check RECEIVER_PVOUTPUT_API_KEY and `system` in the sites file",
                "login",
                float(HOUR_S),
            )
        if reply.status == 403 and "exceeded" in said.lower():
            self._limit.block(reply.headers)
            raise OutputError("PVOutput has got too many requests in this hour; the rest follows then", "busy")
        if reply.status == 403:
            raise OutputError(
                f"PVOutput forbids it ({said}): RECEIVER_PVOUTPUT_API_KEY must not be a read only key",
                "login",
                float(HOUR_S),
            )
        if reply.status not in (200, 400):
            raise OutputError(f"PVOutput answers {reply.status} ({said})", "refused")
        if reply.status == 400 and any(one in said.lower() for one in _ZONE_PROBLEMS):
            raise OutputError(
                f"PVOutput finds the time wrong ({said}): make `time_zone` in the sites file that of the system",
                "refused",
                float(HOUR_S),
            )
        return reply

    def _show(self, status: PvStatus, said: str) -> None:
        """Name a status that is put aside; of many the first are enough."""
        self._shown += 1
        if self._shown <= _SHOWN:
            _log.warning("PVOutput refuses a status for good; it is put aside", status=status.write(), reason=said)


def _list_refused(reply: TargetReply, statuses: Sequence[PvStatus]) -> list[PvStatus]:
    """The statuses that were not added, as the reply says, which has one entry for each in their order."""
    entries = _read_text(reply).split(";")
    return [one for one, entry in zip(statuses, entries, strict=False) if entry.rstrip().endswith(",0")]


def _read_text(reply: TargetReply) -> str:
    text = reply.body.decode(errors="replace").strip()
    return text if reply.status == 200 else redact(text, 200)

"""Mirrors every reading, with the owner's corrections of meters, in a database that takes line protocol.

Lines of one identity overwrite each other there, so a slice may come twice; only VictoriaMetrics keeps both unless it
runs with deduplication. What the receiver computes is not mirrored.
"""

import asyncio
import gzip
from collections.abc import Callable, Sequence

import msgspec
import structlog

from receiver.outputs.base import Delivered, OutputError, Slice
from receiver.outputs.http import TargetConnection, TargetReply
from receiver.outputs.lines.dialects import Dialect, make_login, make_params
from receiver.settings import LinesSettings
from receiver.sites.corrections import correct_series
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints, Store
from receiver.stores.influxdb.encode import encode_lines, encode_series
from shared.fields import KINDS
from shared.logs import redact
from shared.readings import FieldValue, Reading
from shared.units import MINUTE_MS

MOST_LINES = 5_000
"""In one post."""
_METERS = ("meter", "meter_energy")
_SHOWN_LINES = 5
_log = structlog.get_logger()


class _LineRefusal(msgspec.Struct):
    """As much of a refusal as is shown: InfluxDB 1 and 3 say `error`, InfluxDB 2 `message`."""

    error: str = ""
    message: str = ""


class LinesTarget:
    """The mirror, as `receiver.outputs.base.Target`.

    Args:
        url: Its base address.
        dialect: What it is.
        settings: Database and login.
        store: What is mirrored.
        site_of: Which meters are corrected, and which gateways are left out, by serial.
    """

    name = "lines"
    period_s = 10.0
    hold_ms = 30_000  # a scraper posts every 10 s
    slice_ms = 5 * MINUTE_MS

    def __init__(
        self, url: str, dialect: Dialect, settings: LinesSettings, store: Store, site_of: Callable[[str], Site]
    ) -> None:
        self._dialect = dialect
        self._database = settings.database
        self._params = make_params(dialect, settings)
        self._connection = TargetConnection(
            url, "the database of RECEIVER_LINES_URL", make_login(dialect, settings), settings.ca_file
        )
        self._store = store
        self._site_of = site_of
        self._shown = 0

    def is_wanted(self, gateway: str) -> bool:
        """As `Target.is_wanted`."""
        return self._site_of(gateway).outputs.lines

    async def deliver(self, part: Slice) -> Delivered:
        """As `Target.deliver`."""
        sent = put_aside = 0
        for kind in KINDS if part.kinds is None else sorted(part.kinds):
            found = await self._store.read_points(part.gateway, kind, start=part.start, stop=part.stop)
            series = correct_series(found, self._site_of(part.gateway)) if kind in _METERS else found
            # Minutes of a house are thousands of lines, whose making no post may wait for.
            for lines in await asyncio.to_thread(self._gather, part.gateway, series):
                taken = await self._post(lines)
                sent, put_aside = sent + taken.sent, put_aside + taken.put_aside
        return Delivered(sent, put_aside)

    def forget(self, gateway: str) -> None:
        """As `Target.forget`: nothing is remembered here."""

    async def check(self, gateways: Sequence[str]) -> str:
        """As `Target.check`: a post without lines, which some databases take and others find malformed."""
        reply = await self._connection.send("POST", self._dialect.path, content=b"", params=self._params)
        if not 200 <= reply.status < 300:
            self._raise_unless_lines_are_bad(reply)
        return f"the login is accepted; {len(gateways)} gateway(s) go to the database {self._database}"

    async def close(self) -> None:
        """As `Target.close`."""
        await self._connection.close()

    def _gather(self, gateway: str, series: Sequence[SeriesPoints]) -> list[list[bytes]]:
        prefixes: list[bytes] = []
        readings: list[Reading] = []
        for (kind, tags), points in series:
            prefix = encode_series(gateway, kind, dict(tags))
            for timestamp, fields in points:
                if kept := self._select(fields):
                    prefixes.append(prefix)
                    readings.append(Reading(kind, {}, timestamp, kept))
        return [
            encode_lines(prefixes[first : first + MOST_LINES], readings[first : first + MOST_LINES])
            for first in range(0, len(readings), MOST_LINES)
        ]

    def _select(self, fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
        if self._dialect.has_text:
            return fields
        return {name: value for name, value in fields.items() if not isinstance(value, str)}

    async def _post(self, lines: list[bytes]) -> Delivered:
        """Post lines; in halves where something among them is refused, until it stands alone and is put aside."""
        reply = await self._connection.send(
            "POST",
            self._dialect.path,
            content=await asyncio.to_thread(_pack, lines),
            params=self._params,
            headers={"content-encoding": "gzip", "content-type": "text/plain; charset=utf-8"},
        )
        if 200 <= reply.status < 300:
            return Delivered(len(lines))
        self._raise_unless_lines_are_bad(reply)
        if len(lines) == 1:
            self._show(lines[0], reply)
            return Delivered(put_aside=1)
        half = len(lines) // 2
        first, second = await self._post(lines[:half]), await self._post(lines[half:])
        return Delivered(first.sent + second.sent, first.put_aside + second.put_aside)

    def _raise_unless_lines_are_bad(self, reply: TargetReply) -> None:
        if reply.status in (401, 403):
            raise OutputError(
                f"the database refuses the login ({reply.status}): check RECEIVER_LINES_TOKEN, or "
                "RECEIVER_LINES_USERNAME and RECEIVER_LINES_PASSWORD, and that it may write",
                "login",
                is_general=True,
            )
        if reply.status == 404:
            raise OutputError(
                f"there is no database {self._database} at RECEIVER_LINES_URL, or nothing that takes lines there "
                f"({_read_refusal(reply)}): make it, or correct RECEIVER_LINES_DATABASE and RECEIVER_LINES_DIALECT",
                "refused",
                is_general=True,
            )
        if reply.status not in (400, 413, 422):
            raise OutputError(f"the database answers {reply.status} ({_read_refusal(reply)})", "refused")

    def _show(self, line: bytes, reply: TargetReply) -> None:
        """Name a line that is put aside; of many the first are enough."""
        self._shown += 1
        if self._shown <= _SHOWN_LINES:
            _log.warning(
                "the database refuses a line for good; it is put aside",
                line=line.decode(errors="replace")[:200],
                reason=_read_refusal(reply),
            )


def _pack(lines: Sequence[bytes]) -> bytes:
    return gzip.compress(b"\n".join(lines), compresslevel=6, mtime=0)


def _read_refusal(reply: TargetReply) -> str:
    try:
        refusal = msgspec.json.decode(reply.body, type=_LineRefusal)
    except msgspec.DecodeError:
        return redact(reply.body.decode(errors="replace"), 200)
    return redact(refusal.error or refusal.message, 200)

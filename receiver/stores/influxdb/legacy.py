"""envoy-scrape's measurement beside ours, so that dashboards over it go on while people move.

It is `inverterPower` with the tags `envoySerial`, `serial` and `type` and the integers `power` and `maxPower`, at the
time of the report, in the main bucket.
"""

from collections.abc import Collection, Sequence

import structlog

from receiver.stores.base import GatewayReading
from receiver.stores.influxdb.answers import RowsRefusedError, TooLargeError
from receiver.stores.influxdb.client import InfluxClient
from receiver.stores.influxdb.encode import encode_series
from shared.readings import Reading

_MEASUREMENT = "inverterPower"
_INVERTER_TYPE = "1"
_FIELDS = {"power": "power", "max_power": "maxPower"}
_LINES_AT_ONCE = 2_000
_log = structlog.get_logger(__name__)


class LegacyWriter:
    """Writes reports of inverters as envoy-scrape's receiver did.

    Args:
        client: Sends the requests.
        bucket: Where.
    """

    def __init__(self, client: InfluxClient, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._has_told = False

    async def write(self, rows: Sequence[GatewayReading], refused: Collection[int]) -> None:
        """Write what was just stored as ours; writing it again changes nothing.

        Lines that InfluxDB will never take (an old field of another type) are told once in the log and cost nothing
        else: ours are stored.

        Raises:
            StoreUnavailableError: Write the same rows again later.
        """
        lines = [
            line
            for index, row in enumerate(rows)
            if row.reading.kind == "inverter" and index not in refused
            if (line := _encode(row.gateway, row.reading)) is not None
        ]
        for first in range(0, len(lines), _LINES_AT_ONCE):
            try:
                await self._client.write(self._bucket, b"\n".join(lines[first : first + _LINES_AT_ONCE]))
            except (RowsRefusedError, TooLargeError):
                if not self._has_told:
                    self._has_told = True
                    _log.error(
                        "InfluxDB refuses lines of RECEIVER_LEGACY_MEASUREMENT: fields of that name have another type",
                        measurement=_MEASUREMENT,
                    )


def _encode(gateway: str, reading: Reading) -> bytes | None:
    fields = [
        f"{theirs}={round(value)}i"
        for ours, theirs in _FIELDS.items()
        if isinstance(value := reading.fields.get(ours), float | int)
    ]
    if not fields:
        return None
    tags = {"envoySerial": gateway, "serial": reading.tags["inverter"], "type": _INVERTER_TYPE}
    series = encode_series("", _MEASUREMENT, tags)  # without our tag `gateway`
    return series + f" {','.join(fields)} {reading.timestamp}".encode()

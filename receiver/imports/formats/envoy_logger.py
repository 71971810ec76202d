"""What envoy-logger stored in the bucket of its high rate: powers of lines, and reports of inverters. Pure.

Measurements `consumption-line0`, `production-line0` and `net-line0` (tags `source`, `measurement-type`, `line-idx`;
fields P, Q, S, I_rms, V_rms) are our `meter`; line 0 is phase a. `inverter-production-SERIAL` (field P) is our
`inverter`, at the time at which its program saw the report. The bucket of daily energies is left out: it is computed
from the other one over gaps, and says 0 of inverters that were silent.
"""

import re
from collections.abc import Mapping

from receiver.imports.formats.envoy_scrape import make_report
from receiver.imports.formats.points import NS_PER_MS, SourcePoint
from receiver.imports.formats.summary import ImportedRow, Skipped
from shared import wire
from shared.fields import KINDS
from shared.readings import FieldValue, Reading
from shared.units import DAY_MS, SECOND_MS

MEASUREMENTS = "^(consumption|production|net)-line[0-9]+$|^inverter-production-"
"""A regular expression of those that are taken."""
FIELDS: Mapping[str, str] = {
    "P": "power",
    "Q": "reactive_power",
    "S": "apparent_power",
    "I_rms": "current",
    "V_rms": "voltage",
}
"""Its names, and ours."""
_METERS = {"consumption": "total-consumption", "production": "production", "net": "net-consumption"}
_LINE = re.compile(r"(consumption|production|net)-line([0-2])")
_INVERTER = "inverter-production-"
_KIND = KINDS["meter"]


class EnvoyLoggerReader:
    """Reads points of one gateway.

    Args:
        source: The tag `source` of its program for this gateway; None: that of the first point.
        now_ms: Wall time, milliseconds since 1970.
        kept_ms: How long readings of meters are kept; None: without limit.
    """

    def __init__(self, source: str | None, now_ms: int, kept_ms: int | None) -> None:
        self._source = source
        self._now_ms = now_ms
        self._kept_ms = kept_ms

    def read_point(self, point: SourcePoint) -> ImportedRow:
        """One point as a reading."""
        line = _LINE.fullmatch(point.measurement)
        if line is None and not point.measurement.startswith(_INVERTER):
            return Skipped("another measurement than those of lines and inverters")
        source = point.tags.get("source", "")
        self._source = source if self._source is None else self._source
        if source != self._source:
            return Skipped(f"of another source than {self._source}: import it by --source for its own gateway")
        if point.time is None:
            return Skipped("no time")
        timestamp = point.time // NS_PER_MS
        if line is None:
            serial = point.measurement.removeprefix(_INVERTER)
            fields = {"power": point.fields["P"]} if "P" in point.fields else {}
            return make_report(serial, timestamp // SECOND_MS * SECOND_MS, fields, now_ms=self._now_ms)
        return self._make_sample(_METERS[line[1]], "abc"[int(line[2])], timestamp, point.fields)

    def _make_sample(self, meter: str, phase: str, timestamp: int, given: Mapping[str, object]) -> ImportedRow:
        if not wire.EARLIEST_MS <= timestamp <= self._now_ms + wire.FUTURE_MS:
            return Skipped("a time before 2000 or in the future")
        if self._kept_ms is not None and timestamp < self._now_ms - self._kept_ms:
            return Skipped(
                f"a reading of a meter that is older than {self._kept_ms // DAY_MS} days, which are not kept: set "
                "RECEIVER_METER_DAYS higher (with InfluxDB run setup then), and import again"
            )
        fields: dict[str, FieldValue] = {}
        for name, value in given.items():
            ours = FIELDS.get(name)
            if ours is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _KIND.fields[ours].largest:
                return Skipped(f"no value of a house in field {name}")
            fields[ours] = float(value)
        if not fields:
            return Skipped("no power")
        return Reading("meter", {"meter": meter, "phase": phase}, timestamp, fields)

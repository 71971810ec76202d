"""What may be asked of series and the shapes of what is answered, for the published schema."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from receiver.api.answers import TABLE_CONTENT, Format
from receiver.queries import times
from receiver.queries.budget import MAX_POINTS
from receiver.queries.question import Aggregate, Fill
from receiver.stores.kinds import STORED

PAGE: Final = 5_000
"""Points of a page where nobody says how many."""
_KINDS: Final[dict[str, Any]] = {"enum": list(STORED)}


def _tag(meaning: str, example: str) -> Any:
    return Field(None, max_length=100, description=f"Only series with this {meaning}.", examples=[example])


class SeriesParameters(BaseModel):
    """What may be asked of series."""

    kind: str = Field(
        max_length=20, description="Kind of the readings or roll-ups.", examples=["meter"], json_schema_extra=_KINDS
    )
    field: str = Field(max_length=40, description="One field of that kind.", examples=["power"])
    meter: str | None = _tag("meter, with the roles of the sites file", "net-consumption")
    phase: str | None = _tag("phase", "a")
    inverter: str | None = _tag("inverter, by its serial number", "482100000001")
    source: str | None = _tag("source of the gateway's own totals", "inverters")
    type: str | None = _tag("type of event", "gap")
    panel: str | None = _tag("panel (kinds panel_15m and panel_1d)", "East 1")
    array: str | None = _tag("array of panels (likewise)", "East")
    start: str | None = Field(
        None,
        max_length=64,
        description="First instant: `now`, `today`, `yesterday`, a time ago (`-30m`, `-24h`, `-7d`, `-1w`, `-1mo`, "
        "`-1y`), an ISO 8601 date or time (without an offset: local), or milliseconds since 1970. Without it: `-24h`.",
        examples=["-24h"],
    )
    stop: str | None = Field(
        None, max_length=64, description="First instant that is out, in the same forms. Without it: `now`."
    )
    time_zone: str | None = Field(
        None,
        max_length=64,
        description="IANA name: whose local times and calendar. Without it: the site's, else UTC.",
        examples=["Europe/Berlin"],
    )
    every: str | None = Field(
        None,
        max_length=16,
        description="Length of the windows: any number of `s`, `m` or `h` that is less than a day, `1d`, `1w`, `1mo`, "
        "`2mo`, `3mo`, `4mo`, `6mo` or `1y`. Windows follow the local calendar; the range is widened to whole ones. "
        "Without it: single points as they are stored, page by page.",
        examples=["1h"],
    )
    aggregate: Aggregate | None = Field(
        None,
        description="What is told of each window. `mean` is weighted by time; `integral` is the energy of a power, or "
        "the increase of a counter. Without it: `mean`, `integral` of counters, `last` of states.",
    )
    group_by: str | None = Field(
        None,
        max_length=100,
        description="Tags to keep, with commas between them; series that differ in others only are summed (power in W "
        "or var, and the increase of counters). Without it: all tags, so no sums. Empty: one sum of all.",
        examples=["meter"],
    )
    fill: Fill = Field(
        Fill.NONE,
        description="What stands for windows of which nothing is known: they are left out (`none`), have the value "
        "`null`, that of the `previous` known window, or one on the straight line (`linear`) between the known windows "
        "around. Filled windows keep the coverage 0: nobody measured them.",
    )
    format: Format | None = Field(None, description="`json` or `csv`; without it, what the Accept header prefers.")
    limit: int | None = Field(
        None, ge=1, le=MAX_POINTS, description=f"Points of a page, without `every`. Without it: {PAGE}."
    )
    after: int | None = Field(
        None, ge=0, le=times.LATEST_MS, description="Only points after this timestamp: `next` of the page before."
    )


class SeriesWindow(BaseModel):
    """One window.

    Attributes:
        start: First millisecond, since 1970.
        stop: Its end, which is not part of it.
        value: In the unit of the answer.
        coverage: Share of the window, 0 to 1, in which the value is known, and of which alone it speaks.
        unallocated: Of counters: further increase in a gap that ends in this window and began before it.
    """

    model_config = ConfigDict(extra="forbid")

    start: int
    stop: int
    value: float | str | None
    coverage: float
    unallocated: float | None = None


class SeriesPoint(BaseModel):
    """One stored value. Its timestamp is in milliseconds since 1970; roll-ups have the start of their window."""

    model_config = ConfigDict(extra="forbid")

    timestamp: int
    value: float | str


class SeriesEntry(BaseModel):
    """One series, or a sum of several: its tags, and `windows` (with `every`) or `points` (without)."""

    model_config = ConfigDict(extra="forbid")

    tags: dict[str, str]
    windows: list[SeriesWindow] | None = None
    points: list[SeriesPoint] | None = None


class SeriesAnswer(BaseModel):
    """What is known of the series that were asked for.

    Attributes:
        gateway: Serial.
        kind: As asked.
        field: As asked.
        unit: Of the values; empty for none.
        time_zone: Whose calendar.
        start: First instant that was asked for, milliseconds since 1970.
        stop: First instant that is out.
        every: Length of the windows, or null for single points.
        aggregate: What is told of each window, or null.
        next: With single points: give it as `after` for the next page; null for the last one.
        series: By tags; with single points, those that have any.
    """

    model_config = ConfigDict(extra="forbid")

    gateway: str
    kind: str
    field: str
    unit: str
    time_zone: str
    start: int
    stop: int
    every: str | None
    aggregate: Aggregate | None
    next: int | None
    series: list[SeriesEntry]


EXAMPLES: Final[dict[str, Any]] = {
    "windows": {
        "summary": "?kind=meter&field=power&group_by=meter&every=1h&start=2025-10-09T08:00&stop=2025-10-09T10:00"
        "&time_zone=Europe/Berlin",
        "value": {
            "gateway": "122300001234",
            "kind": "meter",
            "field": "power",
            "time_zone": "Europe/Berlin",
            "start": 1759989600000,
            "stop": 1759996800000,
            "unit": "W",
            "every": "1h",
            "aggregate": "mean",
            "next": None,
            "series": [
                {
                    "tags": {"meter": "production"},
                    "windows": [{"start": 1759989600000, "stop": 1759993200000, "value": 900.0, "coverage": 0.5}],
                }
            ],
        },
    },
    "points": {
        "summary": "?kind=meter&field=power&phase=a&limit=2&start=2025-10-09T08:00&stop=2025-10-09T10:00"
        "&time_zone=Europe/Berlin",
        "value": {
            "gateway": "122300001234",
            "kind": "meter",
            "field": "power",
            "time_zone": "Europe/Berlin",
            "start": 1759989600000,
            "stop": 1759996800000,
            "unit": "W",
            "every": None,
            "aggregate": None,
            "next": 1759989660000,
            "series": [
                {
                    "tags": {"meter": "production", "phase": "a"},
                    "points": [
                        {"timestamp": 1759989600000, "value": 600.0},
                        {"timestamp": 1759989660000, "value": 600.0},
                    ],
                }
            ],
        },
    },
}
"""Questions and their answers, where two phases gave 600 and 300 W from 8:00 to 8:30."""
CONTENT: Final[dict[str, Any]] = {"application/json": {"examples": EXAMPLES}, **TABLE_CONTENT}
"""Of an answer, in the published schema."""

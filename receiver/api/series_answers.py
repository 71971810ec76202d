"""What is answered of series: each type is built by the route and published as it stands."""

from typing import Annotated, Any, Final, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.api.answers import TABLE_CONTENT
from receiver.queries.question import Aggregate
from shared.readings import FieldValue


@with_config(ConfigDict(extra="forbid"))
class SeriesWindow(TypedDict):
    """One window."""

    start: Annotated[int, Field(description="First millisecond, since 1970.")]
    stop: Annotated[int, Field(description="Its end, which is not part of it, milliseconds since 1970.")]
    value: Annotated[FieldValue | None, Field(description="In the unit of the answer; null is unknown.")]
    coverage: Annotated[
        float,
        Field(description="Share of the window, 0 to 1, in which the value is known, and of which alone it speaks."),
    ]
    unallocated: NotRequired[
        Annotated[
            float,
            Field(description="Of counters: further increase in a gap that ends in this window and began before it."),
        ]
    ]


@with_config(ConfigDict(extra="forbid"))
class SeriesPoint(TypedDict):
    """One stored value."""

    timestamp: Annotated[int, Field(description="Milliseconds since 1970; of roll-ups, the start of their window.")]
    value: FieldValue


@with_config(ConfigDict(extra="forbid"))
class SeriesEntry(TypedDict):
    """One series, or a sum of several."""

    tags: dict[str, str]
    windows: NotRequired[Annotated[list[SeriesWindow], Field(description="Only with `every`.")]]
    points: NotRequired[Annotated[list[SeriesPoint], Field(description="Only without `every`.")]]


class SeriesHead(TypedDict):
    """What stands before the series of a `SeriesAnswer`."""

    gateway: Annotated[str, Field(description="Serial.")]
    kind: Annotated[str, Field(description="As asked; hours in place of minutes that have expired.")]
    field: Annotated[str, Field(description="As asked.")]
    time_zone: Annotated[str, Field(description="The time zone whose local times and calendar count.")]
    start: Annotated[int, Field(description="First instant that was asked for, milliseconds since 1970.")]
    stop: Annotated[int, Field(description="First instant that is out, milliseconds since 1970.")]
    unit: Annotated[str, Field(description="Of the values; empty for none.")]
    every: Annotated[str | None, Field(description="Length of the windows, or null for single points.")]
    aggregate: Annotated[Aggregate | None, Field(description="What `value` says of each window, or null.")]
    note: Annotated[str | None, Field(description="Why it is coarser than asked, as a sentence; null: it is not.")]
    next: Annotated[
        int | None,
        Field(
            description="With single points: give it as `after` for the next page; null for the last one. Null with "
            "windows."
        ),
    ]


@with_config(ConfigDict(extra="forbid"))
class SeriesAnswer(SeriesHead):
    """What is known of the series that were asked for."""

    series: Annotated[list[SeriesEntry], Field(description="By tags; with single points, those that have any.")]


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
            "note": None,
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
            "note": None,
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

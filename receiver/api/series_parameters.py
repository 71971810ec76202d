"""What may be asked of series."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from receiver.api.answers import Format
from receiver.api.parameters import RouteParameters, read_parameters
from receiver.queries import times
from receiver.queries.budget import MAX_POINTS
from receiver.queries.question import Aggregate, Fill
from receiver.stores.kinds import STORED

PAGE: Final = 5_000
"""Points of a page where nobody says how many."""
_KINDS: Final[dict[str, Any]] = {"enum": list(STORED)}


def _make_tag_parameter(meaning: str, example: str) -> Any:
    return Field(None, max_length=100, description=f"Only series with this {meaning}.", examples=[example])


class SeriesParameters(RouteParameters):
    """What may be asked of series."""

    @model_validator(mode="before")
    @classmethod
    def _answer_what_is_missing(cls, asked: Any) -> Any:
        """A missing kind or field is as an unknown one, whose refusal lists those that there are."""
        return {"kind": "", "field": "", **asked} if isinstance(asked, Mapping) else asked

    kind: str = Field(
        max_length=20, description="Kind of the readings or roll-ups.", examples=["meter"], json_schema_extra=_KINDS
    )
    field: str = Field(max_length=40, description="One field of that kind.", examples=["power"])
    meter: str | None = _make_tag_parameter("meter, with the roles of the sites file", "net-consumption")
    phase: str | None = _make_tag_parameter("phase", "a")
    inverter: str | None = _make_tag_parameter("inverter, by its serial number", "482100000001")
    battery: str | None = _make_tag_parameter("battery, by its serial number", "492399000001")
    relay: str | None = _make_tag_parameter("dry contact of the controller", "NC1")
    source: str | None = _make_tag_parameter("source: of the gateway's own totals, of intervals", "inverters")
    revision: str | None = _make_tag_parameter("revision of intervals, 0 first", "0")
    source_id: str | None = _make_tag_parameter("source of datum", "S1/INV")
    property: str | None = _make_tag_parameter("property of datum", "watts")
    type: str | None = _make_tag_parameter("type of event", "gap")
    panel: str | None = _make_tag_parameter("panel (kinds panel_15m and panel_1d)", "East 1")
    array: str | None = _make_tag_parameter("array of panels (likewise)", "East")
    start: str | None = Field(
        None,
        max_length=64,
        description="First instant: `now`, `today`, `yesterday`, a time ago (`-30m`, `-24h`, `-7d`, `-1w`, `-1mo`, "
        "`-1y`), a year or month (`2026-06`: its first midnight), an ISO 8601 date or time (without an offset: local), "
        "or milliseconds since 1970. Without it: `-24h`.",
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
        description="What the answer says of each window. `mean` is weighted by time; `integral` is the energy of a "
        "power, or the increase of a counter. Without it: `mean`, `integral` of counters, `last` of states.",
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
        description="What stands for windows without any known value: they are left out (`none`), have the value "
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


SeriesAsked = Annotated[SeriesParameters, read_parameters(SeriesParameters)]

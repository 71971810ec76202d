"""Any field of any series: single points page by page, or one value for each window of a calendar."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from receiver.api import answers
from receiver.api.access import Access
from receiver.api.answers import Format, Row, Value
from receiver.api.latest import LatestValues
from receiver.queries import times
from receiver.queries.aggregates import Window
from receiver.queries.budget import MAX_POINTS
from receiver.queries.faults import fault
from receiver.queries.question import TAGS, Aggregate, Fill, Question, checked, windowed
from receiver.queries.series import SeriesReader
from receiver.sites import Site, SitesFile
from receiver.stores.base import Point
from receiver.stores.kinds import STORED
from shared.clock import Clock

_PAGE = 5_000
_ROWS_A_PIECE = 500
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
        None, ge=1, le=MAX_POINTS, description=f"Points of a page, without `every`. Without it: {_PAGE}."
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
        unplaced: Of counters: further increase in a gap that ends in this window and began before it.
    """

    model_config = ConfigDict(extra="forbid")

    start: int
    stop: int
    value: float | str | None
    coverage: float
    unplaced: float | None = None


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
        series: By tags. Series without anything to tell are absent.
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


class SeriesRoutes:
    """The route `/api/v1/gateways/{serial}/series`.

    Args:
        access: Who is reading.
        reader: Where the series are.
        latest: Which gateways there are.
        sites: Time zones, and corrections of meters.
        clock: What time it is.
    """

    def __init__(
        self, *, access: Access, reader: SeriesReader, latest: LatestValues, sites: SitesFile, clock: Clock
    ) -> None:
        self._access = access
        self._reader = reader
        self._latest = latest
        self._sites = sites
        self._clock = clock

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["series"], redirect_slashes=False)
        router.add_api_route(
            "/{serial}/series",
            self.series,
            summary="Any field over time",
            response_model=SeriesAnswer,
            responses={200: {"content": answers.TABLE_CONTENT}},
        )
        return router

    async def series(
        self,
        serial: Annotated[str, Path(description="Serial number of the gateway.", examples=["122300001234"])],
        asked: Annotated[SeriesParameters, Query()],
        request: Request,
    ) -> Response:
        """One field of the series of one kind: a value for each window, or single points page by page.

        Nothing is averaged or integrated over a time in which nothing was measured: `coverage` says which share of
        each window is known. An answer has at most 50,000 points; a question that would need more is refused before
        anything is read, and told what to change. CSV has one line for each window or point, with the tags in front.
        """
        self._access.reader(request, serial)
        answers.once_each(request, SeriesParameters.model_fields)
        await self._latest.exists(serial)
        site, now_ms = self._sites.of(serial), self._clock.now_ms()
        question = _question(serial, asked, site, now_ms)
        if asked.every is None:
            return await self._page(request, asked, question, site)
        if asked.limit is not None or asked.after is not None:
            raise fault("limit", "and after are for single points: leave them out, or leave every out")
        windows = windowed(
            question, every=times.step(asked.every), aggregate=asked.aggregate, group_by=asked.group_by, fill=asked.fill
        )
        groups = await self._reader.windows(windows, site, now_ms)
        found = [(tags, [_window_row(window) for window in inside]) for tags, inside in groups]
        if answers.wants_csv(request, asked.format):
            return answers.csv_pieces(request, (*windows.group_by, *Window._fields), _lines(found))
        told = {"unit": windows.unit, "every": str(windows.every), "aggregate": windows.aggregate, "next": None}
        return answers.json_pieces(request, _pieces({**_head(question), **told}, "windows", found))

    async def _page(self, request: Request, asked: SeriesParameters, question: Question, site: Site) -> Response:
        for name in ("aggregate", "group_by", "fill"):
            if getattr(asked, name) not in (None, Fill.NONE):
                raise fault(name, "needs every, which says how long windows are")
        points, following = await self._reader.page(question, site, after=asked.after, limit=asked.limit or _PAGE)
        found = [
            (dict(series.tags), [_point_row(point, question.field) for point in inside]) for series, inside in points
        ]
        next_after = None if following is None else str(following)
        if answers.wants_csv(request, asked.format):
            columns = (*STORED[question.kind].tags, "timestamp", "value")
            return answers.csv_pieces(request, columns, _lines(found), next_after=next_after)
        told = {"unit": question.described.unit, "every": None, "aggregate": None, "next": following}
        pieces = _pieces({**_head(question), **told}, "points", found)
        return answers.json_pieces(request, pieces, next_after=next_after)


_Entries: TypeAlias = Sequence[tuple[Mapping[str, str], Sequence[Row]]]
"""Tags and rows of each series."""


def _question(serial: str, asked: SeriesParameters, site: Site, now_ms: int) -> Question:
    """What is asked, as far as it does not depend on windows. Raises RefusedError."""
    zone = times.zone(asked.time_zone, site)
    tags = {name: value for name in TAGS if (value := getattr(asked, name)) is not None}
    return checked(
        Question(
            gateway=serial,
            kind=asked.kind,
            field=asked.field,
            tags=tags,
            asked=times.time_range(asked.start, asked.stop, zone, now_ms),
            zone=zone,
        )
    )


def _head(question: Question) -> dict[str, Value]:
    return {
        "gateway": question.gateway,
        "kind": question.kind,
        "field": question.field,
        "time_zone": question.zone.key,
        "start": question.asked.start,
        "stop": question.asked.stop,
    }


def _window_row(window: Window) -> Row:
    row = window._asdict()
    return {name: value for name, value in row.items() if name != "unplaced" or value is not None}


def _point_row(point: Point, field: str) -> Row:
    return {"timestamp": point.timestamp, "value": point.fields[field]}


def _lines(found: _Entries) -> Iterator[Row]:
    return ({**tags, **row} for tags, rows in found for row in rows)


def _pieces(head: Mapping[str, Value], name: str, found: _Entries) -> Iterator[bytes]:
    """A `SeriesAnswer`, some rows at a time."""
    yield msgspec.json.encode(head)[:-1] + b',"series":['
    for index, (tags, rows) in enumerate(found):
        entry = msgspec.json.encode({"tags": tags, name: []})[:-2]
        yield b"," + entry if index else entry
        for first in range(0, len(rows), _ROWS_A_PIECE):
            inside = msgspec.json.encode(rows[first : first + _ROWS_A_PIECE])[1:-1]
            yield b"," + inside if first else inside
        yield b"]}"
    yield b"]}"

"""Any field of any series: single points page by page, or one value for each window of a calendar."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from receiver.api import answers
from receiver.api.access import Access
from receiver.api.answers import Row, Value
from receiver.api.latest import LatestValues
from receiver.api.series_models import CONTENT, PAGE, SeriesAnswer, SeriesParameters
from receiver.queries import times
from receiver.queries.aggregates import WindowValue
from receiver.queries.question import TAGS, Fill, SeriesQuestion, checked, windowed
from receiver.queries.refusals import refusal
from receiver.queries.series import SeriesReader
from receiver.sites import Site, SitesFile
from receiver.stores.base import Point
from receiver.stores.kinds import STORED
from shared.clock import Clock

_ROWS_A_PIECE = 500


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
            responses={200: {"content": CONTENT}},
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
            raise refusal("limit", "and after are for single points: leave them out, or leave every out")
        windows = windowed(
            question, every=times.step(asked.every), aggregate=asked.aggregate, group_by=asked.group_by, fill=asked.fill
        )
        groups = await self._reader.windows(windows, site, now_ms)
        found = [(tags, [_window_row(window) for window in inside]) for tags, inside in groups]
        if answers.wants_csv(request, asked.format):
            return answers.csv_pieces(request, (*windows.group_by, *WindowValue._fields), _lines(found))
        told = {"unit": windows.unit, "every": str(windows.every), "aggregate": windows.aggregate, "next": None}
        return answers.json_pieces(request, _pieces({**_head(question), **told}, "windows", found))

    async def _page(self, request: Request, asked: SeriesParameters, question: SeriesQuestion, site: Site) -> Response:
        for name in ("aggregate", "group_by", "fill"):
            if getattr(asked, name) not in (None, Fill.NONE):
                raise refusal(name, "needs every, which says how long windows are")
        points, following = await self._reader.page(question, site, after=asked.after, limit=asked.limit or PAGE)
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


def _question(serial: str, asked: SeriesParameters, site: Site, now_ms: int) -> SeriesQuestion:
    """What is asked, as far as it does not depend on windows. Raises RefusedError."""
    zone = times.zone(asked.time_zone, site)
    tags = {name: value for name in TAGS if (value := getattr(asked, name)) is not None}
    return checked(
        SeriesQuestion(
            gateway=serial,
            kind=asked.kind,
            field=asked.field,
            tags=tags,
            asked=times.time_range(asked.start, asked.stop, zone, now_ms),
            zone=zone,
        )
    )


def _head(question: SeriesQuestion) -> dict[str, Value]:
    return {
        "gateway": question.gateway,
        "kind": question.kind,
        "field": question.field,
        "time_zone": question.zone.key,
        "start": question.asked.start,
        "stop": question.asked.stop,
    }


def _window_row(window: WindowValue) -> Row:
    row = window._asdict()
    return {name: value for name, value in row.items() if name != "unallocated" or value is not None}


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

"""Any field of any series: single points page by page, or one value for each window of a calendar."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from receiver.api import answers
from receiver.api.questions import AskedOfGateway, GatewayQuestion
from receiver.api.series_answers import CONTENT, SeriesAnswer, SeriesEntry, SeriesHead, SeriesPoint, SeriesWindow
from receiver.api.series_parameters import PAGE, SeriesAsked, SeriesParameters
from receiver.api.tables import Row, TableForm
from receiver.queries import times
from receiver.queries.aggregates import WindowValue
from receiver.queries.expired import ask_coarser
from receiver.queries.question import TAGS, Fill, SeriesQuestion, ask_in_windows, check_question
from receiver.queries.refusals import make_refusal
from receiver.queries.series import SeriesReader
from receiver.queries.slices import run_slice
from receiver.stores.base import Point
from receiver.stores.kinds import STORED

_ROWS_A_PIECE = 500


class SeriesRoutes:
    """The route `/api/v1/gateways/{serial}/series`.

    Args:
        reader: Where the series are.
    """

    def __init__(self, *, reader: SeriesReader) -> None:
        self._reader = reader

    def make_router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["series"], redirect_slashes=False)
        router.add_api_route(
            "/{serial}/series",
            self.show_series,
            summary="Any field over time",
            response_model=SeriesAnswer,
            responses={200: {"content": CONTENT}},
        )
        return router

    async def show_series(self, question: AskedOfGateway, asked: SeriesAsked, request: Request) -> Response:
        """One field of the series of one kind: a value for each window, or single points page by page.

        Nothing is averaged or integrated over a time in which nothing was measured: `coverage` says which share of
        each window is known. An answer has at most 50,000 points; a question that would need more is refused before
        anything is read, with advice on what to change. CSV has one line for each window or point, with the tags in
        front.
        """
        series_question = _make_question(question, asked)
        if asked.every is None:
            return await self._answer_page(request, asked, series_question, question)
        if asked.limit is not None or asked.after is not None:
            raise make_refusal("limit", "and after are for single points: leave them out, or leave every out")
        windows = ask_in_windows(
            series_question,
            every=times.parse_step(asked.every),
            aggregate=asked.aggregate,
            group_by=asked.group_by,
            fill=asked.fill,
        )
        windows, note = ask_coarser(windows, self._reader.retention_ms, question.now_ms)
        groups = await self._reader.read_windows(windows, question.site, question.now_ms, question.rows)

        def answer() -> Response:
            found = [(dict(tags), [_describe_window(window) for window in inside]) for tags, inside in groups]
            if answers.should_send_csv(request, asked.format):
                units = dict.fromkeys(("value", "unallocated"), windows.unit)
                form = TableForm((*windows.group_by, *WindowValue._fields), series_question.zone, units)
                return answers.make_csv(request, form, _list_rows(found), note=note)
            head = _make_head(series_question, unit=windows.unit, note=note)
            head["every"], head["aggregate"] = str(windows.every), windows.aggregate
            return answers.make_json(request, _encode_pieces(head, "windows", found))

        made = await run_slice(answer)
        question.rows.release()
        return made

    async def _answer_page(
        self, request: Request, asked: SeriesParameters, series_question: SeriesQuestion, question: GatewayQuestion
    ) -> Response:
        for name in ("aggregate", "group_by", "fill"):
            if getattr(asked, name) not in (None, Fill.NONE):
                raise make_refusal(name, "needs every, which says how long windows are")
        series_question, note = ask_coarser(series_question, self._reader.retention_ms, question.now_ms)
        points, following = await self._reader.read_page(
            series_question, question.site, after=asked.after, limit=asked.limit or PAGE, rows=question.rows
        )

        def answer() -> Response:
            found = [
                (dict(series.tags), [_describe_point(point, series_question.field) for point in inside])
                for series, inside in points
            ]
            next_after = None if following is None else str(following)
            if answers.should_send_csv(request, asked.format):
                columns = (*STORED[series_question.kind].tags, "timestamp", "value")
                form = TableForm(columns, series_question.zone, {"value": series_question.described.unit})
                return answers.make_csv(request, form, _list_rows(found), next_after=next_after, note=note)
            head = _make_head(series_question, unit=series_question.described.unit, note=note)
            head["next"] = following
            return answers.make_json(request, _encode_pieces(head, "points", found), next_after=next_after)

        made = await run_slice(answer)
        question.rows.release()
        return made


_Entries: TypeAlias = Sequence[tuple[dict[str, str], Sequence[SeriesWindow] | Sequence[SeriesPoint]]]
"""Tags and rows of each series."""


def _make_question(question: GatewayQuestion, asked: SeriesParameters) -> SeriesQuestion:
    """What is asked, as far as it does not depend on windows. Raises RefusedError."""
    zone = times.parse_zone(asked.time_zone, question.site)
    tags = {name: value for name in TAGS if (value := getattr(asked, name)) is not None}
    return check_question(
        SeriesQuestion(
            gateway=question.serial,
            kind=asked.kind,
            field=asked.field,
            tags=tags,
            asked=times.parse_range(asked.start, asked.stop, zone, question.now_ms),
            zone=zone,
        )
    )


def _make_head(question: SeriesQuestion, *, unit: str, note: str | None) -> SeriesHead:
    return {
        "gateway": question.gateway,
        "kind": question.kind,
        "field": question.field,
        "time_zone": question.zone.key,
        "start": question.asked.start,
        "stop": question.asked.stop,
        "unit": unit,
        "every": None,
        "aggregate": None,
        "note": note,
        "next": None,
    }


def _describe_window(window: WindowValue) -> SeriesWindow:
    described: SeriesWindow = {
        "start": window.start,
        "stop": window.stop,
        "value": window.value,
        "coverage": window.coverage,
    }
    if window.unallocated is not None:
        described["unallocated"] = window.unallocated
    return described


def _describe_point(point: Point, field: str) -> SeriesPoint:
    return {"timestamp": point.timestamp, "value": point.fields[field]}


def _list_rows(found: _Entries) -> Iterator[Row]:
    return ({**tags, **row} for tags, rows in found for row in rows)


def _encode_pieces(head: SeriesHead, name: Literal["windows", "points"], found: _Entries) -> Iterator[bytes]:
    """A `SeriesAnswer`, some rows at a time."""
    yield msgspec.json.encode(head)[:-1] + b',"series":['
    for index, (tags, rows) in enumerate(found):
        empty: SeriesEntry = {"tags": tags, "windows": []} if name == "windows" else {"tags": tags, "points": []}
        entry = msgspec.json.encode(empty)[:-2]
        yield b"," + entry if index else entry
        for first in range(0, len(rows), _ROWS_A_PIECE):
            inside = msgspec.json.encode(rows[first : first + _ROWS_A_PIECE])[1:-1]
            yield b"," + inside if first else inside
        yield b"]}"
    yield b"]}"

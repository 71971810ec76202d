"""The energy of a site: what it made, used, bought and sold in each hour, day, month or year."""

from collections.abc import Iterator
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from receiver.api import answers
from receiver.api.downloads import DownloadFormat, choose_download, make_download
from receiver.api.energy_answers import EarlierHead, EnergyHead, EnergyTable
from receiver.api.parameters import DEFAULT_START, RangeParameters, read_parameters
from receiver.api.questions import AskedOfGateway, GatewayQuestion
from receiver.api.tables import TableForm
from receiver.calendar.shifts import Earlier
from receiver.calendar.windows import Every, Range
from receiver.queries import times
from receiver.queries.comparison import EnergyComparison, compare_energy_windows
from receiver.queries.coverage import explain_site_coverage
from receiver.queries.energy import read_energy_pieces, read_energy_windows
from receiver.queries.energy_window import COLUMNS, EnergyWindow
from receiver.queries.refusals import make_refusal
from receiver.queries.shares import HeldRows
from receiver.queries.slices import run_slice
from receiver.stores.base import Store

_WINDOWS_A_PIECE = 200


class EnergyParameters(RangeParameters):
    """What may be asked of a site's energy."""

    every: Every = Field("1d", description="Length of the windows; `billing`: months from the billing day of the site.")
    time_zone: str | None = Field(
        None,
        max_length=64,
        description="IANA name. Without it: the site's, else UTC.",
        examples=["Europe/Berlin"],
    )
    compare: Earlier | None = Field(
        None,
        description="Answer the same for an earlier time, too: the whole months (else days) `before`, or the same a "
        "`year` ago, and by how much the mean powers of the windows that are over changed.",
        examples=["year"],
    )


class _AskedWindows(TypedDict):
    """What is asked of the windows, whether or not they are compared."""

    every: Every
    asked: Range
    zone: ZoneInfo
    now_ms: int
    rows: HeldRows


class EnergyRoutes:
    """The route `/api/v1/gateways/{serial}/energy`.

    Args:
        store: Where the roll-ups are.
    """

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def make_router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["energy"], redirect_slashes=False)
        router.add_api_route(
            "/{serial}/energy",
            self.list_energies,
            summary="Energy of the site over time",
            response_model=EnergyTable,
            responses={200: {"content": answers.FILE_CONTENT}},
        )
        return router

    async def list_energies(
        self,
        question: AskedOfGateway,
        asked: Annotated[EnergyParameters, read_parameters(EnergyParameters)],
        request: Request,
    ) -> Response:
        """Production, load, import, export, battery, self-consumption, self-sufficiency and cost of each window.

        They come from the meters' lifetime counters, so they are right over outages, counter resets and the change to
        summer time. The receiver sums up once a minute: readings that came in since are not counted yet. CSV and
        Parquet have the windows alone, of any range, and the header X-Coverage says how much is known. With `compare`
        the same is answered for an earlier time, too.
        """
        zone = times.parse_zone(asked.time_zone, question.site)
        if (kind := choose_download(request, asked.format)) is not None:
            if asked.compare is not None:
                raise make_refusal("compare", "needs JSON: choose format=json, or ask for a table of each time")
            return await self._download(question, asked, request, zone, kind)
        read: _AskedWindows = {
            "every": asked.every,
            "asked": times.parse_range(asked.start, asked.stop, zone, question.now_ms, default=DEFAULT_START),
            "zone": zone,
            "now_ms": question.now_ms,
            "rows": question.rows,
        }
        compared = None
        if asked.compare is None:
            found = await read_energy_windows(self._store, question.serial, question.site, **read)
        else:
            compared = await compare_energy_windows(
                self._store, question.serial, question.site, which=asked.compare, **read
            )
            found = compared.asked
        head: EnergyHead = {
            "gateway": question.serial,
            "every": asked.every,
            "time_zone": zone.key,
            "total": found.total,
        }
        made = await run_slice(answers.make_json, request, _encode_pieces(head, found.windows, compared, asked.compare))
        question.rows.release()
        return made

    async def _download(
        self,
        question: GatewayQuestion,
        asked: EnergyParameters,
        request: Request,
        zone: ZoneInfo,
        kind: DownloadFormat,
    ) -> Response:
        store, serial, site, now_ms = self._store, question.serial, question.site, question.now_ms
        span = times.parse_range(asked.start, asked.stop, zone, now_ms, default=DEFAULT_START)
        coverage = await explain_site_coverage(store, serial, site, span, now_ms)
        pieces = read_energy_pieces(
            store, serial, site, every=asked.every, asked=span, zone=zone, now_ms=now_ms, rows=question.rows
        )
        return await make_download(request, TableForm(COLUMNS, zone), pieces, kind=kind, coverage=coverage)


def _encode_pieces(
    head: EnergyHead, windows: list[EnergyWindow], compared: EnergyComparison | None, which: Earlier | None
) -> Iterator[bytes]:
    """An `EnergyTable`, some windows at a time."""
    yield msgspec.json.encode(head)[:-1]
    yield from _encode_windows(windows)
    if compared is not None and which is not None:
        earlier: EarlierHead = {
            "which": which,
            "compared_windows": compared.compared,
            "changes": compared.changes,
            "total": compared.earlier.total,
        }
        yield b',"compared":' + msgspec.json.encode(earlier)[:-1]
        yield from _encode_windows(compared.earlier.windows)
        yield b"}"
    yield b"}"


def _encode_windows(windows: list[EnergyWindow]) -> Iterator[bytes]:
    yield b',"windows":['
    for first in range(0, len(windows), _WINDOWS_A_PIECE):
        inside = msgspec.json.encode(windows[first : first + _WINDOWS_A_PIECE])[1:-1]
        yield b"," + inside if first else inside
    yield b"]"

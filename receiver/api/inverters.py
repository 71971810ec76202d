"""The panels: how each is now, and what it made beside the others."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from receiver.api import answers
from receiver.api.downloads import DownloadFormat, choose_download, make_download
from receiver.api.inverter_answers import (
    InverterDetail,
    InverterEntry,
    PanelDay,
    PanelEnergyTable,
)
from receiver.api.known_gateways import KnownGateways
from receiver.api.latest import LatestValues
from receiver.api.panel_descriptions import (
    PLACE,
    describe_panel,
    describe_panel_data,
    describe_panel_day,
    describe_panel_energy,
    describe_panel_place,
)
from receiver.api.parameters import (
    DEFAULT_START,
    NOT_MODIFIED,
    FormatAsked,
    RangeParameters,
    WithoutParameters,
    read_parameters,
)
from receiver.api.questions import AskedOfGateway, GatewayQuestion
from receiver.api.tables import Row, TableForm
from receiver.calendar.labels import COLUMNS as WINDOW_COLUMNS
from receiver.calendar.labels import describe_window
from receiver.calendar.windows import PanelEvery, Range
from receiver.errors import RefusedError
from receiver.queries import panels, times
from receiver.queries.coverage import explain_panel_coverage
from receiver.queries.panel_ratios import PanelOrder, read_panel_ratios, sort_panels
from receiver.queries.panels import PanelEnergies
from receiver.queries.refusals import make_refusal
from receiver.queries.slices import run_for_rows, run_slice
from receiver.sites import Site
from receiver.stores.base import Store
from shared.problems import Problem

_ENERGY_COLUMNS = (*WINDOW_COLUMNS, "inverter", "name", "array", "energy_wh", "coverage")
_DAYS = 30


class PanelEnergyParameters(RangeParameters):
    """What may be asked of the energy of all panels."""

    every: PanelEvery = Field("1d", description="Length of the windows, by the site's calendar.")
    order: PanelOrder = Field(
        PanelOrder.SERIAL,
        description="By `serial`, by `name`, by `energy` of all windows (the most first) or by `ratio` (the weakest "
        "first); what is unknown stands last.",
    )


class InverterRoutes:
    """The routes below `/api/v1/gateways/{serial}/inverters`.

    Args:
        store: Where the roll-ups are.
        gateways: Which gateways there are.
        latest: Where the latest values come from.
    """

    def __init__(self, *, store: Store, gateways: KnownGateways, latest: LatestValues) -> None:
        self._store = store
        self._gateways = gateways
        self._latest = latest

    def make_router(self) -> APIRouter:
        """The routes; `/energy` before the one that takes any serial."""
        router = APIRouter(prefix="/api/v1/gateways/{serial}/inverters", tags=["panels"], redirect_slashes=False)
        router.add_api_route(
            "",
            self.list_panels,
            summary="How every panel is",
            response_model=list[InverterEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/energy",
            self.list_energies,
            summary="Energy of all panels over time",
            response_model=PanelEnergyTable,
            responses={200: {"content": answers.FILE_CONTENT}},
        )
        router.add_api_route(
            "/{inverter}",
            self.show_panel,
            summary="How one panel is, and its last 30 days",
            response_model=InverterDetail,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def list_panels(self, question: AskedOfGateway, asked: FormatAsked, request: Request) -> Response:
        """The latest values of every inverter, its state, and what the sites file says of its panel.

        A panel that the sites file names is listed though it never reported: as gone, without a time.
        """
        (found,) = await self._latest.read(question.serial, "inverter")
        site, now_ms = question.site, question.now_ms
        columns = ("inverter", "timestamp", "age_seconds", "state", "power", *PLACE)
        as_csv = answers.should_send_csv(request, asked.format)

        def answer() -> Response:
            last = {entry.tags["inverter"]: entry for entry in found}
            rows = [
                describe_panel(inverter, last.get(inverter), now.state, site, now_ms)
                for inverter, now in panels.describe_panels(found, site, now_ms).items()
            ]
            return answers.make_latest_table(request, rows, as_csv=as_csv, columns=columns, zone=question.zone)

        return await run_for_rows(len(found), answer)

    async def show_panel(
        self,
        question: AskedOfGateway,
        inverter: Annotated[str, Path(description="Serial number of the inverter.", examples=["482100000001"])],
        _: WithoutParameters,
        request: Request,
    ) -> Response:
        """One panel: its latest values, its day compared with its peers, and its last 30 days."""
        (found,) = await self._latest.read(question.serial, "inverter")
        site, now_ms = question.site, question.now_ms
        all_now = await run_for_rows(len(found), panels.describe_panels, found, site, now_ms)
        now = all_now.get(inverter)
        if now is None:
            raise RefusedError(
                Problem.NOT_FOUND,
                "inverter-unknown",
                detail="This gateway has no inverter of that serial; the route without a serial lists those it has.",
            )
        last = {entry.tags["inverter"]: entry for entry in found}
        days = await self._list_days(question, inverter)
        document: InverterDetail = {
            **describe_panel(inverter, last.get(inverter), now.state, site, now_ms),
            "peers_power": now.peers_w,
            "first_timestamp": await panels.find_first_report(self._store, question.serial, inverter),
            "panel": describe_panel_data(site, inverter),
            "today": next((day for day in days if day["in_progress"]), None),
            "days": days,
        }
        return answers.make_latest_document(request, document)

    async def list_energies(
        self,
        question: AskedOfGateway,
        asked: Annotated[PanelEnergyParameters, read_parameters(PanelEnergyParameters)],
        request: Request,
    ) -> Response:
        """What every panel made of each window, all panels at once.

        Quarter hours follow within a minute or so; days, and what is made of days, once a quarter hour.
        """
        summary = await self._gateways.summarise(question.serial)
        site, zone, now_ms = question.site, question.zone, question.now_ms
        inverters = max(summary.series.get("inverter", 0), len(site.panels), 1)
        kind = choose_download(request, asked.format)
        if kind is not None and asked.order is PanelOrder.SERIAL:
            return await self._download(question, asked, request, inverters, kind)
        if kind == "parquet":
            raise make_refusal("order", "needs JSON or CSV: Parquet is in the order of time and of serials")
        found = await panels.read_panel_energies(
            self._store,
            question.serial,
            site,
            every=asked.every,
            asked=times.parse_range(asked.start, asked.stop, zone, now_ms, default=DEFAULT_START),
            inverters=inverters,
            now_ms=now_ms,
            rows=question.rows,
        )
        whole = Range(found.boundaries[0], found.boundaries[-1])
        ratios = await read_panel_ratios(self._store, question.serial, site, whole, inverters=inverters)

        def answer() -> Response:
            by_serial = {panel.inverter: panel for panel in found.panels}
            energies = {serial: panel.total_wh for serial, panel in by_serial.items()}
            order = sort_panels(by_serial, asked.order, site=site, energies=energies, ratios=ratios)
            in_order = [by_serial[serial] for serial in order]
            windows = [describe_window(start, stop, zone, now_ms) for start, stop in pairwise(found.boundaries)]
            if kind == "csv":
                rows = _list_rows(PanelEnergies(found.boundaries, in_order), site, now_ms)
                return answers.make_csv(request, TableForm(_ENERGY_COLUMNS, zone), rows)
            document: PanelEnergyTable = {
                "gateway": question.serial,
                "every": asked.every,
                "time_zone": zone.key,
                "windows": windows,
                "panels": [describe_panel_energy(panel, site, ratios.get(panel.inverter)) for panel in in_order],
            }
            return answers.make_document(request, document)

        made = await run_slice(answer)
        question.rows.release()
        return made

    async def _download(
        self,
        question: GatewayQuestion,
        asked: PanelEnergyParameters,
        request: Request,
        inverters: int,
        kind: DownloadFormat,
    ) -> Response:
        store, serial, site, zone, now_ms = self._store, question.serial, question.site, question.zone, question.now_ms
        span = times.parse_range(asked.start, asked.stop, zone, now_ms, default=DEFAULT_START)
        coverage = await explain_panel_coverage(store, serial, site, span, inverters, now_ms)
        pieces = panels.read_panel_pieces(
            store, serial, site, every=asked.every, asked=span, inverters=inverters, now_ms=now_ms, rows=question.rows
        )
        rows = (_list_rows(piece, site, now_ms) async for piece in pieces)
        return await make_download(request, TableForm(_ENERGY_COLUMNS, zone), rows, kind=kind, coverage=coverage)

    async def _list_days(self, question: GatewayQuestion, inverter: str) -> list[PanelDay]:
        """The days of one panel, the oldest first, by the site's calendar; today is the last, once it has reported."""
        zone, now_ms = question.zone, question.now_ms
        start = times.parse_instant("start", f"-{_DAYS - 1}d", zone, now_ms)
        boundaries = question.site.list_windows("panel_1d", start, now_ms + 1)
        stored = await panels.read_days(
            self._store, question.serial, inverter, start=boundaries[0], stop=boundaries[-1]
        )
        stops = dict(pairwise(boundaries))
        return [
            describe_panel_day(describe_window(midnight, stops[midnight], zone, now_ms), fields)
            for midnight, fields in stored
            if midnight in stops
        ]


def _list_rows(found: PanelEnergies, site: Site, now_ms: int) -> Iterator[Row]:
    """A line for each window and panel, in the order of time."""
    places = [describe_panel_place(site, panel.inverter) for panel in found.panels]
    for index, (start, stop) in enumerate(pairwise(found.boundaries)):
        label = describe_window(start, stop, site.zone, now_ms)
        for panel, place in zip(found.panels, places, strict=True):
            energy, coverage = panel.energy_wh[index], panel.coverage[index]
            yield {**label, "inverter": panel.inverter, **place, "energy_wh": energy, "coverage": coverage}

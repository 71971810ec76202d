"""The panels: how each is now, and what it made beside the others."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from receiver.api import answers
from receiver.api.access import Access
from receiver.api.answers import FormatParameter, Row
from receiver.api.inverter_models import InverterDetail, InverterEntry, PanelEnergyTable
from receiver.api.latest import Entry, LatestValues
from receiver.api.parameters import DEFAULT_START, NOT_MODIFIED, SerialParameter, StartParameter, StopParameter
from receiver.calendar.labels import COLUMNS as WINDOW_COLUMNS
from receiver.calendar.labels import describe_window
from receiver.calendar.windows import PanelEvery
from receiver.errors import RefusedError
from receiver.queries import panels, times
from receiver.queries.panels import PanelEnergies, State
from receiver.sites import Site, SitesFile
from receiver.stores.base import Latest, Store
from shared.clock import Clock
from shared.problems import Problem

_PLACE = ("name", "array", "row", "column")
_ENERGY_COLUMNS = (*WINDOW_COLUMNS, "inverter", "name", "array", "energy_wh", "coverage")
_DAYS = 30


class InverterRoutes:
    """The routes below `/api/v1/gateways/{serial}/inverters`.

    Args:
        access: Who is reading.
        store: Where the roll-ups are.
        latest: Where the latest values come from.
        sites: Names and places of panels.
        clock: What time it is.
    """

    def __init__(self, *, access: Access, store: Store, latest: LatestValues, sites: SitesFile, clock: Clock) -> None:
        self._access = access
        self._store = store
        self._latest = latest
        self._sites = sites
        self._clock = clock

    def router(self) -> APIRouter:
        """The routes; `/energy` before the one that takes any serial."""
        router = APIRouter(prefix="/api/v1/gateways/{serial}/inverters", tags=["panels"], redirect_slashes=False)
        router.add_api_route(
            "",
            self.every,
            summary="How every panel is",
            response_model=list[InverterEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/energy",
            self.energy,
            summary="Energy of all panels over time",
            response_model=PanelEnergyTable,
            responses={200: {"content": answers.TABLE_CONTENT}},
        )
        router.add_api_route(
            "/{inverter}",
            self.one,
            summary="How one panel is, and its last 30 days",
            response_model=InverterDetail,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def every(self, serial: SerialParameter, request: Request, wanted: FormatParameter = None) -> Response:
        """The latest values of every inverter, its state, and what the sites file says of its panel.

        A panel that the sites file names is listed though it never reported: as a ghost, without a time.
        """
        (found,) = await self._latest.of(request, serial, "inverter")
        answers.once_each(request, ("format",))
        site = self._sites.of(serial)
        last = {entry.tags["inverter"]: entry for entry in found}
        rows = [
            {**self._shown(inverter, last), "state": now.state, **_told(site, inverter, _PLACE)}
            for inverter, now in panels.now(found, site, self._clock.now_ms()).items()
        ]
        columns = ("inverter", "timestamp", "age_seconds", "state", "power", *_PLACE)
        return answers.latest(request, rows, as_csv=answers.wants_csv(request, wanted), columns=columns)

    async def one(
        self,
        serial: SerialParameter,
        inverter: Annotated[str, Path(description="Serial number of the inverter.", examples=["482100000001"])],
        request: Request,
    ) -> Response:
        """One panel: its latest values, its day beside its peers, and its last 30 days."""
        (found,) = await self._latest.of(request, serial, "inverter")
        answers.once_each(request, ())
        site, now_ms = self._sites.of(serial), self._clock.now_ms()
        now = panels.now(found, site, now_ms).get(inverter)
        if now is None:
            raise RefusedError(Problem.NOT_FOUND, "inverter-unknown")
        last = {entry.tags["inverter"]: entry for entry in found}
        document = {
            **self._shown(inverter, last),
            "state": now.state,
            "peers_power": now.peers_w,
            "first_timestamp": await panels.first_report(self._store, serial, inverter),
            "panel": _told(site, inverter, None),
            **await self._days(serial, inverter, site, now_ms),
        }
        told = {name: value for name, value in document.items() if name != "age_seconds"}
        return answers.unless_known(request, told, lambda: answers.json_document(request, document))

    async def energy(
        self,
        serial: SerialParameter,
        request: Request,
        start: StartParameter = None,
        stop: StopParameter = None,
        every: Annotated[PanelEvery, Query(description="Length of the windows, by the site's calendar.")] = "1d",
        wanted: FormatParameter = None,
    ) -> Response:
        """What every panel made of each window, all panels at once.

        Quarter hours follow within a minute or so; days, and what is made of days, once a quarter hour.
        """
        self._access.reader(request, serial)
        answers.once_each(request, ("start", "stop", "every", "format"))
        summary = await self._latest.summary(serial)
        site, now_ms = self._sites.of(serial), self._clock.now_ms()
        zone = site.zone
        found = await panels.energies(
            self._store,
            serial,
            site,
            every=every,
            asked=times.time_range(start, stop, zone, now_ms, default=DEFAULT_START),
            inverters=max(summary.series.get("inverter", 0), len(site.panels), 1),
            now_ms=now_ms,
        )
        windows = [describe_window(*edges, zone, now_ms) for edges in pairwise(found.edges)]
        if answers.wants_csv(request, wanted):
            return answers.csv_pieces(request, _ENERGY_COLUMNS, _lines(found, windows, site))
        return answers.json_document(
            request,
            {
                "gateway": serial,
                "every": every,
                "time_zone": zone.key,
                "windows": windows,
                "panels": [
                    {
                        "inverter": panel.inverter,
                        **_told(site, panel.inverter, _PLACE),
                        "total_wh": panel.total_wh,
                        "energy_wh": panel.energy_wh,
                        "coverage": panel.coverage,
                    }
                    for panel in found.panels
                ],
            },
        )

    def _shown(self, inverter: str, last: Mapping[str, Latest]) -> Entry:
        if inverter in last:
            return self._latest.shown(last[inverter])
        return {"inverter": inverter, "timestamp": None, "age_seconds": None}

    async def _days(self, serial: str, inverter: str, site: Site, now_ms: int) -> dict[str, Any]:
        """`today` and `days`, oldest first, of the site's calendar."""
        zone = site.zone
        start = times.instant("start", f"-{_DAYS - 1}d", zone, now_ms)
        edges = site.list_windows("panel_1d", start, now_ms + 1)
        stored = await panels.days(self._store, serial, inverter, start=edges[0], stop=edges[-1])
        stops = dict(pairwise(edges))
        days = [
            _day(describe_window(time, stops[time], zone, now_ms), fields) for time, fields in stored if time in stops
        ]
        return {"today": next((day for day in days if day["in_progress"]), None), "days": days}


def _told(site: Site, inverter: str, names: tuple[str, ...] | None) -> Entry:
    """What the sites file says of a panel: these keys, or all of them."""
    panel = site.panels.get(inverter)
    return {} if panel is None else panel.model_dump(include=set(names) if names else None, exclude_none=True)


def _day(shown: Entry, fields: Mapping[str, float]) -> Entry:
    last = fields.get("last_report")
    return {
        **shown,
        "energy_wh": fields.get("energy"),
        "peers_wh": fields.get("peers"),
        "ratio": fields.get("ratio"),
        "peak_w": fields.get("peak"),
        "clipping_minutes": fields.get("clipping_minutes"),
        "coverage": fields.get("coverage", 0.0),
        "reports": round(fields.get("reports", 0.0)),
        "last_timestamp": None if last is None else round(last),
    }


def _lines(found: PanelEnergies, windows: list[Entry], site: Site) -> Iterator[Row]:
    """CSV: a line for each window and panel."""
    for panel in found.panels:
        told = _told(site, panel.inverter, ("name", "array"))
        for shown, energy, coverage in zip(windows, panel.energy_wh, panel.coverage, strict=True):
            yield {**shown, "inverter": panel.inverter, **told, "energy_wh": energy, "coverage": coverage}


def count_states(latest: list[Latest], site: Site, now_ms: int) -> dict[State, int]:
    """How many panels are in each state."""
    found = [now.state for now in panels.now(latest, site, now_ms).values()]
    return {state: found.count(state) for state in State}

"""Latest values: what a reader sees of the gateways that its token covers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from receiver.api import answers
from receiver.api.access import Access
from receiver.api.answers import FormatParameter
from receiver.arrivals import Arrivals
from receiver.errors import RefusedError
from receiver.sites import Site, SitesFile
from receiver.sites.corrections import correct
from receiver.stores.base import GatewaySummary, Latest, Store
from receiver.watch import Watch
from shared.clock import Clock
from shared.problems import Problem

_PAGE = 100
_MOST = 1_000

Entry = dict[str, float | int | str]
"""One series: its tags, its fields, `timestamp` (ms since 1970) and `age_seconds`."""


class GatewayEntry(BaseModel):
    """One gateway in the list. Times in milliseconds since 1970; name and time zone as the sites file says."""

    gateway: str
    name: str | None
    time_zone: str | None
    last_timestamp: int
    age_seconds: float
    firmware: str | None
    role: str | None
    inverters: int
    meters: int


class GatewayStatus(BaseModel):
    """How one gateway and its scraper are.

    Attributes:
        gateway: Serial.
        name: As the sites file says, or None.
        time_zone: IANA name, as the sites file says, or None (then UTC).
        last_timestamp: Newest reading of any kind, milliseconds since 1970.
        age_seconds: Its age.
        status: Latest fields of kind `gateway`, as the scraper sent them (see the field dictionary).
        status_age_seconds: Age of `status`; None if the scraper has sent none.
        delivery_lag_seconds: How old the newest reading was when it arrived; None until a batch has come since start.
        open_gap_since: Start of a gap that has not ended, milliseconds since 1970, or None.
    """

    gateway: str
    name: str | None
    time_zone: str | None
    last_timestamp: int
    age_seconds: float
    status: dict[str, float | str]
    status_age_seconds: float | None
    delivery_lag_seconds: float | None
    open_gap_since: int | None


class Gateways:
    """The routes below `/api/v1/gateways`.

    Args:
        access: Who is reading.
        store: Where the values are.
        watch: Told that somebody looks.
        arrivals: When batches came.
        sites: What the owner says about each gateway.
        clock: What age is measured against.
    """

    def __init__(
        self,
        *,
        access: Access,
        store: Store,
        watch: Watch,
        arrivals: Arrivals,
        sites: SitesFile,
        clock: Clock,
    ) -> None:
        self._access = access
        self._store = store
        self._watch = watch
        self._arrivals = arrivals
        self._sites = sites
        self._clock = clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/gateways", redirect_slashes=False)
        router.add_api_route(
            "", self.every, response_model=list[GatewayEntry], responses={200: {"content": answers.TABLE_CONTENT}}
        )
        router.add_api_route("/{serial}", self.one)
        router.add_api_route("/{serial}/inverters", self.inverters)
        router.add_api_route("/{serial}/meters", self.meters)
        return router

    async def every(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=_MOST, description="Gateways of a page.")] = _PAGE,
        after: Annotated[
            str | None,
            Query(max_length=64, description="Only serials after this one: the last of the page before."),
        ] = None,
        wanted: FormatParameter = None,
    ) -> Response:
        """The gateways that the token covers and that have readings, by serial.

        Where there are more, the `Link` header says where the next page is.
        """
        caller = self._access.reader(request)
        answers.once_each(request, ("limit", "after", "format"))
        seen = [
            summary
            for summary in await self._store.gateways()
            if caller.gateways is None or summary.gateway in caller.gateways
        ]
        page, following = answers.next_page(seen, limit=limit, after=after, key=lambda summary: summary.gateway)
        rows = [(await self._entry(summary)).model_dump() for summary in page]
        return answers.latest(
            request,
            rows,
            as_csv=answers.wants_csv(request, wanted),
            columns=list(GatewayEntry.model_fields),
            next_after=following,
        )

    async def one(self, serial: str, request: Request) -> GatewayStatus:
        """How a gateway and its scraper are."""
        self._access.reader(request, serial)
        summary = await self._summary(serial)
        self._watch.look(serial)
        latest = await self._store.latest(serial, "gateway")
        arrival = self._arrivals.last(serial)
        site = self._sites.of(serial)
        return GatewayStatus(
            gateway=serial,
            name=site.name,
            time_zone=site.time_zone,
            last_timestamp=summary.last_timestamp,
            age_seconds=self._age(summary.last_timestamp),
            status=latest[0].fields if latest else {},
            status_age_seconds=self._age(latest[0].timestamp) if latest else None,
            delivery_lag_seconds=max(0, arrival.received - arrival.newest) / 1000 if arrival else None,
            open_gap_since=open_gap(await self._store.latest(serial, "event")),
        )

    async def _entry(self, summary: GatewaySummary) -> GatewayEntry:
        latest = await self._store.latest(summary.gateway, "gateway")
        fields = latest[0].fields if latest else {}
        site = self._sites.of(summary.gateway)
        return GatewayEntry(
            gateway=summary.gateway,
            name=site.name,
            time_zone=site.time_zone,
            last_timestamp=summary.last_timestamp,
            age_seconds=self._age(summary.last_timestamp),
            firmware=_text(fields.get("firmware")),
            role=_text(fields.get("role")),
            inverters=summary.series.get("inverter", 0),
            meters=summary.series.get("meter", 0),
        )

    def _age(self, timestamp: int) -> float:
        return max(0, self._clock.now_ms() - timestamp) / 1000


def open_gap(events: list[Latest]) -> int | None:
    """Start of the newest gap if it has no end yet. An `end` before the start belongs to the gap before."""
    for event in events:
        if event.tags["type"] == "gap":
            end = event.fields.get("end")
            return event.timestamp if not isinstance(end, float) or end < event.timestamp else None
    return None


def _panel(site: Site, inverter: str) -> Entry:
    panel = site.panels.get(inverter)
    return {} if panel is None else panel.model_dump(include={"name", "array"}, exclude_none=True)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

"""The gateways that a token covers: the list, and how each of them is."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from receiver.api import answers
from receiver.api.access import Access
from receiver.api.answers import FormatParameter
from receiver.api.gateway_models import GatewayEntry, GatewayStatus
from receiver.api.inverters import count_states
from receiver.api.latest import Entry, LatestValues
from receiver.api.meters import power_shown
from receiver.api.parameters import NOT_MODIFIED, SerialParameter
from receiver.auth.gate import Caller
from receiver.calendar.windows import Range
from receiver.ingest.arrivals import Arrivals
from receiver.queries import energy
from receiver.sites import Site, SitesFile
from receiver.sites.corrections import correct
from receiver.sites.household import describe_household
from receiver.stores.base import GatewaySummary, Latest, Store
from shared.clock import Clock
from shared.readings import FieldValue

_PAGE = 1000
_FEW = 20
"""So many gateways of a token are looked up one by one; for more it is quicker to look at all that there are."""


class GatewayRoutes:
    """The routes `/api/v1/gateways` and `/api/v1/gateways/{serial}`.

    Args:
        access: Who is reading.
        store: Where the values are.
        latest: Where the latest values of one gateway come from.
        arrivals: When batches came.
        sites: What the owner says about each gateway.
        clock: What time it is.
    """

    def __init__(
        self,
        *,
        access: Access,
        store: Store,
        latest: LatestValues,
        arrivals: Arrivals,
        sites: SitesFile,
        clock: Clock,
    ) -> None:
        self._access = access
        self._store = store
        self._latest = latest
        self._arrivals = arrivals
        self._sites = sites
        self._clock = clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["gateways"], redirect_slashes=False)
        router.add_api_route(
            "",
            self.every,
            summary="The gateways of the token",
            response_model=list[GatewayEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/{serial}",
            self.one,
            summary="How a gateway is, now and today",
            response_model=GatewayStatus,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def every(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=_PAGE, description="Gateways of a page.")] = _PAGE,
        after: Annotated[
            str | None,
            Query(max_length=64, description="Only serials after this one: the last of the page before."),
        ] = None,
        wanted: FormatParameter = None,
    ) -> Response:
        """The gateways that the token covers and that have readings, by serial.

        Where there are more than one page holds, the Link header has the next one.
        """
        caller = self._access.reader(request)
        answers.once_each(request, ("limit", "after", "format"))
        page, following = answers.next_page(
            await self._summaries(caller), limit=limit, after=after, key=lambda summary: summary.gateway
        )
        rows = [self._entry(summary, await self._status(summary.gateway)) for summary in page]
        columns = tuple(GatewayEntry.model_fields)
        as_csv = answers.wants_csv(request, wanted)
        return answers.latest(request, rows, as_csv=as_csv, columns=columns, next_after=following)

    async def one(self, serial: SerialParameter, request: Request) -> Response:
        """How a gateway and its scraper are, what the household does now, and what it did today."""
        found = await self._latest.of(request, serial, "gateway", "event", "meter", "inverter")
        answers.once_each(request, ())
        document = await self._document(serial, *found)
        told = {name: value for name, value in document.items() if not name.endswith("age_seconds")}
        told["power"] = {name: value for name, value in document["power"].items() if name != "age_seconds"}
        return answers.unless_known(request, told, lambda: answers.json_document(request, document))

    async def _document(
        self, serial: str, status: list[Latest], events: list[Latest], meters: list[Latest], inverters: list[Latest]
    ) -> dict[str, Any]:
        site, now_ms, arrival = self._sites.of(serial), self._clock.now_ms(), self._arrivals.last(serial)
        today, summary = await asyncio.gather(
            energy.energies(
                self._store,
                serial,
                site,
                every="1d",
                asked=Range(now_ms, now_ms + 1),
                zone=site.zone,
                now_ms=now_ms,
            ),
            self._latest.summary(serial),
        )
        fields = status[0].fields if status else {}
        return {
            **self._entry(summary, fields),
            "status": fields,
            "status_age_seconds": self._latest.age(status[0].timestamp) if status else None,
            "delivery_lag_seconds": max(0, arrival.received - arrival.newest) / 1000 if arrival else None,
            "open_gap_since": open_gap(events),
            "meter_names": sorted({entry.tags["meter"] for entry in correct(meters, site)}),
            "inverter_states": count_states(inverters, site, now_ms),
            "power": power_shown(describe_household(meters, inverters, site, now_ms), self._latest).model_dump(),
            "today": today.windows[0],
        }

    async def _summaries(self, caller: Caller) -> list[GatewaySummary]:
        if caller.gateways is None or len(caller.gateways) > _FEW:
            found = await self._store.gateways()
            return [each for each in found if caller.gateways is None or each.gateway in caller.gateways]
        each = [await self._store.summary(serial) for serial in sorted(caller.gateways)]
        return [summary for summary in each if summary is not None]

    async def _status(self, gateway: str) -> Mapping[str, FieldValue]:
        latest = await self._store.latest(gateway, "gateway")
        return latest[0].fields if latest else {}

    def _entry(self, summary: GatewaySummary, fields: Mapping[str, FieldValue]) -> Entry:
        site: Site = self._sites.of(summary.gateway)
        return {
            "gateway": summary.gateway,
            "name": site.name,
            "time_zone": site.time_zone,
            "last_timestamp": summary.last_timestamp,
            "age_seconds": self._latest.age(summary.last_timestamp),
            "firmware": _text(fields.get("firmware")),
            "role": _text(fields.get("role")),
            "inverters": summary.series.get("inverter", 0),
            "meters": summary.series.get("meter", 0),
        }


def open_gap(events: list[Latest]) -> int | None:
    """Start of the newest gap if it has no end yet. An `end` before the start belongs to the gap before."""
    for event in events:
        if event.tags["type"] == "gap":
            end = event.fields.get("end")
            return event.timestamp if not isinstance(end, float) or end < event.timestamp else None
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

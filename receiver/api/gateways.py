"""The gateways that a token covers: the list, and how each of them is."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from receiver.api import answers
from receiver.api.gateway_answers import GatewayEntry, GatewayStatus
from receiver.api.known_gateways import KnownGateways
from receiver.api.latest import LatestValues, compute_age_seconds
from receiver.api.meters import describe_power
from receiver.api.panel_descriptions import count_states
from receiver.api.parameters import NOT_MODIFIED, FormatParameters, WithoutParameters, read_parameters
from receiver.api.questions import AskedByReader, AskedOfGateway, GatewayQuestion
from receiver.calendar.windows import Range
from receiver.ingest.arrivals import Arrivals
from receiver.queries.doubts import read_doubts
from receiver.queries.energy import read_energy_windows
from receiver.queries.open_gap import find_open_gap
from receiver.queries.slices import run_for_rows
from receiver.sites import LocatedSites, cloud_system
from receiver.sites.corrections import correct_latest
from receiver.sites.household import describe_household
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import GatewaySummary, Store
from shared.cloud_identity import is_cloud_system
from shared.readings import FieldValue

_PAGE = 1000


class GatewayListParameters(FormatParameters):
    """What may be asked of the list of gateways."""

    limit: int = Field(_PAGE, ge=1, le=_PAGE, description="Gateways of a page.")
    after: str | None = Field(
        None, max_length=64, description="Only serials after this one: the last of the page before."
    )


class GatewayRoutes:
    """The routes `/api/v1/gateways` and `/api/v1/gateways/{serial}`.

    Args:
        store: Where the values are.
        gateways: Which gateways there are.
        latest: Where the latest values of one gateway come from.
        arrivals: When batches came.
        sites: What the owner says about each gateway.
    """

    def __init__(
        self, *, store: Store, gateways: KnownGateways, latest: LatestValues, arrivals: Arrivals, sites: LocatedSites
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._latest = latest
        self._arrivals = arrivals
        self._sites = sites

    def make_router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["gateways"], redirect_slashes=False)
        router.add_api_route(
            "",
            self.list_gateways,
            summary="The gateways of the token",
            response_model=list[GatewayEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/{serial}",
            self.show_gateway,
            summary="How a gateway is, now and today",
            response_model=GatewayStatus,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def list_gateways(
        self,
        question: AskedByReader,
        asked: Annotated[GatewayListParameters, read_parameters(GatewayListParameters)],
        request: Request,
    ) -> Response:
        """The gateways that the token covers and that have readings, by serial.

        Where there are more than one page holds, the Link header has the next one.
        """
        page, next_after = answers.cut_page(
            await self._gateways.list_seen_by(question.caller),
            limit=asked.limit,
            after=asked.after,
            key=lambda summary: summary.gateway,
        )
        rows = [
            self._describe(summary, await self._read_status_fields(summary.gateway), question.now_ms)
            for summary in page
        ]
        as_csv = answers.should_send_csv(request, asked.format)
        columns = tuple(GatewayEntry.__annotations__)
        make = partial(answers.make_latest_table, as_csv=as_csv, columns=columns, next_after=next_after)
        return await run_for_rows(len(rows), make, request, rows)

    async def show_gateway(self, question: AskedOfGateway, _: WithoutParameters, request: Request) -> Response:
        """How a gateway and its scraper are, what the household does now, and what it did today."""
        return answers.make_latest_document(request, await self._describe_whole(question))

    async def _describe_whole(self, question: GatewayQuestion) -> GatewayStatus:
        serial, site, now_ms = question.serial, question.site, question.now_ms
        (status, events, meters, inverters, totals, *rest), today, summary, doubts = await asyncio.gather(
            self._latest.read(serial, "gateway", "event", "meter", "inverter", "production", *KINDS_OF_STORAGE),
            read_energy_windows(
                self._store,
                serial,
                site,
                every="1d",
                asked=Range(now_ms, now_ms + 1),
                zone=question.zone,
                now_ms=now_ms,
                rows=question.rows,
            ),
            self._gateways.summarise(serial),
            read_doubts(self._store, serial, site, now_ms),
        )
        household = describe_household(meters, inverters, site, now_ms, describe_storage(rest, now_ms), totals)
        if is_cloud_system(serial):
            (intervals,) = await self._latest.read(serial, cloud_system.KIND)
            household = cloud_system.describe_system(intervals, now_ms)
        states = await run_for_rows(len(inverters), count_states, inverters, site, now_ms)
        arrival = self._arrivals.get_last(serial)
        fields = status[0].fields if status else {}
        return {
            **self._describe(summary, fields, now_ms),
            "status": fields,
            "status_age_seconds": compute_age_seconds(status[0].timestamp, now_ms) if status else None,
            "delivery_lag_seconds": max(0, arrival.received - arrival.newest) / 1000 if arrival else None,
            "open_gap_since": find_open_gap(events),
            "meter_doubts": [str(doubt) for doubt in doubts],
            "doubted_powers": [{"measured_w": doubt.measured, "reported_w": doubt.reported} for doubt in doubts],
            "meter_names": sorted({entry.tags["meter"] for entry in correct_latest(meters, site)}),
            "inverter_states": states,
            "power": describe_power(household, now_ms),
            "today": today.windows[0],
        }

    async def _read_status_fields(self, gateway: str) -> Mapping[str, FieldValue]:
        latest = await self._store.read_latest(gateway, "gateway")
        return latest[0].fields if latest else {}

    def _describe(self, summary: GatewaySummary, fields: Mapping[str, FieldValue], now_ms: int) -> GatewayEntry:
        site = self._sites.get_site(summary.gateway)
        return {
            "gateway": summary.gateway,
            "name": site.name,
            "time_zone": site.zone.key,
            "last_timestamp": summary.last_timestamp,
            "age_seconds": compute_age_seconds(summary.last_timestamp, now_ms),
            "firmware": _read_text(fields.get("firmware")),
            "role": _read_text(fields.get("role")),
            "inverters": summary.series.get("inverter", 0),
            "meters": summary.series.get("meter", 0),
            "time_zone_source": self._sites.find_zone_source(summary.gateway),
            "currency": site.currency,
            "source": "cloud" if is_cloud_system(summary.gateway) else "gateway",
        }


def _read_text(value: FieldValue | None) -> str | None:
    return value if isinstance(value, str) else None

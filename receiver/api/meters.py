"""The meters' latest values, and the household now."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from receiver.api import answers
from receiver.api.latest import LatestValues, compute_age_seconds, describe_latest
from receiver.api.meter_answers import HouseholdPower, MeterEntry
from receiver.api.parameters import NOT_MODIFIED, FormatAsked, WithoutParameters
from receiver.api.questions import AskedOfGateway
from receiver.queries.slices import run_for_rows
from receiver.sites import cloud_system
from receiver.sites.corrections import correct_latest
from receiver.sites.household import METER_SPEAKS_MS, HouseholdNow, describe_household
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import Latest
from shared.cloud_identity import is_cloud_system


class MeterRoutes:
    """The routes `/meters` and `/power` of a gateway.

    Args:
        latest: Where the values come from.
    """

    def __init__(self, *, latest: LatestValues) -> None:
        self._latest = latest

    def make_router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/gateways/{serial}", tags=["now"], redirect_slashes=False)
        router.add_api_route(
            "/meters",
            self.list_meters,
            summary="Latest values of every meter and phase",
            response_model=list[MeterEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/power",
            self.show_power,
            summary="The household now",
            response_model=HouseholdPower,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def list_meters(self, question: AskedOfGateway, asked: FormatAsked, request: Request) -> Response:
        """The latest values of every phase of every meter, corrected as the sites file says."""
        (found,) = await self._latest.read(question.serial, "meter")
        as_csv = answers.should_send_csv(request, asked.format)

        def answer() -> Response:
            rows = [describe_meter(entry, question.now_ms) for entry in correct_latest(found, question.site)]
            return answers.make_latest_table(
                request, rows, as_csv=as_csv, columns=("meter", "phase"), zone=question.zone
            )

        return await run_for_rows(len(found), answer)

    async def show_power(self, question: AskedOfGateway, _: WithoutParameters, request: Request) -> Response:
        """What the household makes, uses, buys and sells at this moment."""
        if is_cloud_system(question.serial):
            (intervals,) = await self._latest.read(question.serial, cloud_system.KIND)
            now = cloud_system.describe_system(intervals, question.now_ms)
            return answers.make_latest_document(request, describe_power(now, question.now_ms))
        meters, inverters, totals, *rest = await self._latest.read(
            question.serial, "meter", "inverter", "production", *KINDS_OF_STORAGE
        )
        storage = describe_storage(rest, question.now_ms)
        now = describe_household(meters, inverters, question.site, question.now_ms, storage, totals)
        return answers.make_latest_document(request, describe_power(now, question.now_ms))


def describe_meter(entry: Latest, now_ms: int) -> MeterEntry:
    """One phase of a meter as readers see it.

    Args:
        entry: Its latest values. The gate before the store has let in only fields of the dictionary, which are those of
            `MeterEntry`.
        now_ms: UTC milliseconds.
    """
    return cast("MeterEntry", describe_latest(entry, now_ms, METER_SPEAKS_MS))


def describe_power(now: HouseholdNow, now_ms: int) -> HouseholdPower:
    """The household as readers see it; `now_ms` is in UTC milliseconds."""
    return {
        "production_w": now.site.production,
        "load_w": now.site.load,
        "net_w": now.site.net,
        "imported_w": now.site.imported,
        "exported_w": now.site.exported,
        "battery_w": now.site.battery,
        "state_of_charge": now.storage.state_of_charge,
        "grid_mode": now.storage.grid_mode,
        "load_unknown": now.load_unknown,
        "timestamp": now.timestamp,
        "age_seconds": None if now.timestamp is None else compute_age_seconds(now.timestamp, now_ms),
    }

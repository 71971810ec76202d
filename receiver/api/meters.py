"""Latest values of the meters, and what they say of the household at this moment."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from receiver.api import answers
from receiver.api.answers import FormatParameter
from receiver.api.latest import LatestValues
from receiver.api.parameters import NOT_MODIFIED, SerialParameter
from receiver.sites import SitesFile
from receiver.sites.corrections import correct
from receiver.sites.household import HouseholdNow, describe_household
from shared.clock import Clock


class MeterEntry(BaseModel):
    """One phase of one meter; absent is what it does not report. Units and signs: see the field dictionary.

    Attributes:
        meter: What it measures: `production`, `net-consumption`, `total-consumption`, `storage`.
        phase: `a`, `b` or `c`.
        timestamp: Of its newest reading, milliseconds since 1970.
        age_seconds: Its age.
        power: W.
        reactive_power: var.
        apparent_power: VA.
        voltage: V.
        current: A.
        power_factor: -1 to 1.
        frequency: Hz.
    """

    meter: str
    phase: str
    timestamp: int
    age_seconds: float
    power: float = 0.0
    reactive_power: float = 0.0
    apparent_power: float = 0.0
    voltage: float = 0.0
    current: float = 0.0
    power_factor: float = 0.0
    frequency: float = 0.0


class HouseholdPower(BaseModel):
    """The household now, in W, from the meters' values of the last two minutes; null is unknown.

    Attributes:
        production_w: Generation.
        load_w: What the house uses.
        net_w: From the grid, + import, - export.
        imported_w: Bought, netted as the site is billed; at least 0.
        exported_w: Sold; at least 0.
        battery_w: + discharge, - charge.
        timestamp: Of the newest value in it, milliseconds since 1970; null if there is none.
        age_seconds: Its age.
    """

    model_config = ConfigDict(extra="forbid")

    production_w: float | None
    load_w: float | None
    net_w: float | None
    imported_w: float | None
    exported_w: float | None
    battery_w: float | None
    timestamp: int | None
    age_seconds: float | None


class MeterRoutes:
    """The routes `/meters` and `/power` of a gateway.

    Args:
        latest: Where the values come from.
        sites: What is to be corrected.
        clock: What time it is.
    """

    def __init__(self, *, latest: LatestValues, sites: SitesFile, clock: Clock) -> None:
        self._latest = latest
        self._sites = sites
        self._clock = clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/gateways/{serial}", tags=["now"], redirect_slashes=False)
        router.add_api_route(
            "/meters",
            self.meters,
            summary="Latest values of every meter and phase",
            response_model=list[MeterEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        router.add_api_route(
            "/power",
            self.power,
            summary="The household now",
            response_model=HouseholdPower,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def meters(self, serial: SerialParameter, request: Request, wanted: FormatParameter = None) -> Response:
        """The latest values of every phase of every meter, corrected as the sites file says."""
        (found,) = await self._latest.of(request, serial, "meter")
        answers.once_each(request, ("format",))
        rows = [self._latest.shown(entry) for entry in correct(found, self._sites.of(serial))]
        return answers.latest(request, rows, as_csv=answers.wants_csv(request, wanted), columns=("meter", "phase"))

    async def power(self, serial: SerialParameter, request: Request) -> Response:
        """What the household makes, uses, buys and sells at this moment."""
        meters, inverters = await self._latest.of(request, serial, "meter", "inverter")
        answers.once_each(request, ())
        now = describe_household(meters, inverters, self._sites.of(serial), self._clock.now_ms())
        shown = power_shown(now, self._latest)
        told = shown.model_dump(exclude={"age_seconds"})
        return answers.unless_known(request, told, lambda: answers.json_document(request, shown.model_dump()))


def power_shown(now: HouseholdNow, latest: LatestValues) -> HouseholdPower:
    """As readers see it."""
    return HouseholdPower(
        **{f"{name}_w": watts for name, watts in now.site._asdict().items()},
        timestamp=now.timestamp,
        age_seconds=None if now.timestamp is None else latest.age(now.timestamp),
    )

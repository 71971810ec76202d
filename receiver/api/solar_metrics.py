"""Solar values for Prometheus, for those who hold a reader token; what the receiver counts of itself is elsewhere.

The status port shows the service to its operator, without a login and on loopback. What is here is somebody's home: it
stands among the questions, behind the same token, and has the gateways of that token alone.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from prometheus_client.exposition import choose_encoder
from starlette.responses import PlainTextResponse, Response

from receiver.api import answers
from receiver.api.exposition import GatewayNow, SolarFamilies
from receiver.api.known_gateways import KnownGateways
from receiver.api.latest import LatestValues
from receiver.api.parameters import WithoutParameters
from receiver.api.questions import AskedByReader, AskedOfGateway
from receiver.errors import RefusedError
from receiver.outputs.lifetime.energies import LifetimeEnergies, LifetimeReader
from receiver.outputs.mqtt.payloads import GatewayLatest
from receiver.queries.slices import run_slice
from receiver.queries.together import SharedReads
from receiver.sites import LocatedSites, Site
from receiver.sites.household import describe_household
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from shared.problems import Problem

MOST_GATEWAYS = 100
"""Of one answer; for more, each gateway is asked by itself."""
_KINDS = ("meter", "inverter", "production", "gateway", "meter_energy", *KINDS_OF_STORAGE)
_CONTENT: Final[dict[str, Any]] = {
    name: {"schema": {"type": "string"}} for name in ("text/plain", "application/openmetrics-text")
}


class SolarMetricsRoutes:
    """The routes `/api/v1/metrics` and `/api/v1/gateways/{serial}/metrics`.

    Args:
        latest: Where the latest values come from.
        lifetime: Where lifetime energies come from.
        gateways: Which gateways there are.
        sites: What the owner says about each.
    """

    def __init__(
        self, *, latest: LatestValues, lifetime: LifetimeReader, gateways: KnownGateways, sites: LocatedSites
    ) -> None:
        self._latest = latest
        self._energies = SharedReads[str, LifetimeEnergies](lifetime.read)
        self._gateways = gateways
        self._sites = sites

    def make_router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1", tags=["now"], redirect_slashes=False)
        for path, show, summary in (
            ("/metrics", self.show_all, "All gateways of the token now, for Prometheus"),
            ("/gateways/{serial}/metrics", self.show_gateway, "A gateway now, for Prometheus"),
        ):
            router.add_api_route(
                path,
                show,
                summary=summary,
                response_class=PlainTextResponse,
                responses={200: {"content": _CONTENT}},
            )
        return router

    async def show_all(self, question: AskedByReader, _: WithoutParameters, request: Request) -> Response:
        """What flows now, phases, panels and lifetime counters; what is unknown is left out. A scrape wakes nobody."""
        serials = [each.gateway for each in await self._gateways.list_seen_by(question.caller)]
        if len(serials) > MOST_GATEWAYS:
            raise RefusedError(
                Problem.UNPROCESSABLE,
                "too-many-gateways",
                detail=f"This token covers more than {MOST_GATEWAYS} gateways: ask /gateways/SERIAL/metrics of each.",
            )
        known = [await self._read(serial, self._sites.get_site(serial), question.now_ms) for serial in serials]
        return await _answer(request, known)

    async def show_gateway(self, question: AskedOfGateway, _: WithoutParameters, request: Request) -> Response:
        """The same of one gateway."""
        return await _answer(request, [await self._read(question.serial, question.site, question.now_ms)])

    async def _read(self, serial: str, site: Site, now_ms: int) -> GatewayNow:
        (meters, inverters, totals, gateway, counters, *rest), lifetime = await asyncio.gather(
            self._latest.read_unwatched(serial, *_KINDS), self._energies.ask(serial)
        )
        household = describe_household(meters, inverters, site, now_ms, describe_storage(rest, now_ms), totals)
        latest = GatewayLatest(household, meters, inverters, gateway)
        return GatewayNow(serial, site, latest, counters, lifetime.energies, lifetime.panels, now_ms)


async def _answer(request: Request, known: Sequence[GatewayNow]) -> Response:
    """In the form that the Accept header prefers: of OpenMetrics, or the older one."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return answers.make_text(request, await run_slice(lambda: encode(SolarFamilies(known))), media_type)

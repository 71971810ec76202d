"""The lifetime energies of a site and of its panels, for programs that count by the difference of two answers."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field, with_config
from starlette.responses import Response
from typing_extensions import TypedDict

from receiver.api import answers
from receiver.api.latest import compute_age_seconds
from receiver.api.parameters import NOT_MODIFIED, WithoutParameters
from receiver.api.questions import AskedOfGateway
from receiver.outputs.lifetime.energies import LifetimeReader
from receiver.queries.together import SharedReads


@with_config(ConfigDict(extra="forbid"))
class LifetimeEnergy(TypedDict):
    """Energies since the gateway began to count, Wh; none of them ever falls; null is unknown."""

    production_wh: Annotated[float | None, Field(description="Generated, Wh.")]
    load_wh: Annotated[float | None, Field(description="Used by the house, Wh.")]
    imported_wh: Annotated[float | None, Field(description="Bought from the grid, netted as the site is billed, Wh.")]
    exported_wh: Annotated[float | None, Field(description="Sold to the grid, netted as the site is billed, Wh.")]
    discharged_wh: Annotated[float | None, Field(description="Out of the battery, Wh.")]
    charged_wh: Annotated[float | None, Field(description="Into the battery, Wh.")]
    panels_wh: Annotated[dict[str, float | None], Field(description="What each panel made, Wh, by its serial.")]
    timestamp: Annotated[
        int | None,
        Field(description="Of the oldest counter in it, milliseconds since 1970; null if no meter has ever reported."),
    ]
    age_seconds: Annotated[float | None, Field(description="Age of that counter, s.")]


class LifetimeRoutes:
    """The route `/api/v1/gateways/{serial}/energy/lifetime`.

    Args:
        reader: Reads the energies.
    """

    def __init__(self, *, reader: LifetimeReader) -> None:
        self._reads = SharedReads(reader.read)

    def make_router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["energy"], redirect_slashes=False)
        router.add_api_route(
            "/{serial}/energy/lifetime",
            self.show_lifetime,
            summary="Lifetime energies of the site and of its panels",
            response_model=LifetimeEnergy,
            responses={304: NOT_MODIFIED},
        )
        return router

    async def show_lifetime(self, question: AskedOfGateway, _: WithoutParameters, request: Request) -> Response:
        """Totals that only grow, netted as the site is billed, for meters of other programs.

        They are the gateway's own counters where these can give them, and what the receiver has summed up where not.
        """
        found = await self._reads.ask(question.serial)
        age = None if found.timestamp is None else compute_age_seconds(found.timestamp, question.now_ms)
        entry: LifetimeEnergy = {
            "production_wh": found.energies["production"],
            "load_wh": found.energies["load"],
            "imported_wh": found.energies["imported"],
            "exported_wh": found.energies["exported"],
            "discharged_wh": found.energies["discharged"],
            "charged_wh": found.energies["charged"],
            "panels_wh": dict(found.panels),
            "timestamp": found.timestamp,
            "age_seconds": age,
        }
        return answers.make_latest_document(request, entry)

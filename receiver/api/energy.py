"""The energy of a site: what it made, used, bought and sold in each hour, day, month or year."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from receiver.api import answers
from receiver.api.access import Access
from receiver.api.answers import FormatParameter
from receiver.api.latest import LatestValues
from receiver.api.parameters import DEFAULT_START, SerialParameter, StartParameter, StopParameter
from receiver.calendar.windows import Every
from receiver.queries import times
from receiver.queries.energy import COLUMNS, EnergyWindows, energies
from receiver.sites import SitesFile
from receiver.stores.base import Store
from shared.clock import Clock

_WINDOWS_A_PIECE = 200
_PARAMETERS = ("start", "stop", "every", "time_zone", "format")


class EnergyWindow(BaseModel):
    """One window. Energies in Wh, each at least 0; null is unknown.

    Attributes:
        start: First millisecond of the window, since 1970.
        stop: Its end, which is not part of it.
        local_start: `start` in the time zone of the answer, ISO 8601.
        in_progress: It has not ended yet: all it says is of its time so far.
        production_wh: Generated; so `load_wh` (used by the house), `imported_wh` (bought), `exported_wh` (sold),
            `discharged_wh` (out of the battery), `charged_wh` (into it).
        self_consumption: Share of the production that was used at home, 0 to 1.
        self_sufficiency: Share of the load that was not bought, 0 to 1.
        cost: Price of the imported energy by the site's tariffs, in their currency.
        feed_in: Payment for the exported energy.
        savings: What the energy produced and used at home would have cost.
        production_coverage: Share of the whole window, 0 to 1, in which it is known when that energy flowed.
        production_unallocated_wh: Further energy of gaps that end in this window and began before it: a coarser window
            that holds the whole gap counts it.
        unallocated_since: Where the earliest of those gaps began, milliseconds since 1970.
        resets: Steps in which a lifetime counter fell or jumped; they gave no energy.
    """

    model_config = ConfigDict(extra="forbid")

    start: int
    stop: int
    local_start: str
    in_progress: bool
    production_wh: float | None
    load_wh: float | None
    imported_wh: float | None
    exported_wh: float | None
    discharged_wh: float | None
    charged_wh: float | None
    self_consumption: float | None
    self_sufficiency: float | None
    cost: float | None
    feed_in: float | None
    savings: float | None
    production_coverage: float
    load_coverage: float
    imported_coverage: float
    exported_coverage: float
    discharged_coverage: float
    charged_coverage: float
    production_unallocated_wh: float
    load_unallocated_wh: float
    imported_unallocated_wh: float
    exported_unallocated_wh: float
    discharged_unallocated_wh: float
    charged_unallocated_wh: float
    unallocated_since: int | None
    resets: int


class EnergyTable(BaseModel):
    """The energy of a range.

    Attributes:
        gateway: Serial.
        every: Length of the windows.
        time_zone: Whose calendar they follow.
        windows: Every whole window that touches the range, up to the one in progress.
        total: The sum over all of them, with what gaps between two of them gave.
    """

    model_config = ConfigDict(extra="forbid")

    gateway: str
    every: Every
    time_zone: str
    windows: list[EnergyWindow]
    total: EnergyWindow


class EnergyRoutes:
    """The route `/api/v1/gateways/{serial}/energy`.

    Args:
        access: Who is reading.
        store: Where the roll-ups are.
        latest: Which gateways there are.
        sites: Time zones and billing days.
        clock: What time it is.
    """

    def __init__(self, *, access: Access, store: Store, latest: LatestValues, sites: SitesFile, clock: Clock) -> None:
        self._access = access
        self._store = store
        self._latest = latest
        self._sites = sites
        self._clock = clock

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["energy"], redirect_slashes=False)
        router.add_api_route(
            "/{serial}/energy",
            self.energy,
            summary="Energy of the site over time",
            response_model=EnergyTable,
            responses={200: {"content": answers.TABLE_CONTENT}},
        )
        return router

    async def energy(
        self,
        serial: SerialParameter,
        request: Request,
        start: StartParameter = None,
        stop: StopParameter = None,
        every: Annotated[
            Every, Query(description="Length of the windows; `billing`: months from the billing day of the site.")
        ] = "1d",
        time_zone: Annotated[
            str | None,
            Query(
                max_length=64, description="IANA name. Without it: the site's, else UTC.", examples=["Europe/Berlin"]
            ),
        ] = None,
        wanted: FormatParameter = None,
    ) -> Response:
        """Production, load, import, export, battery, self-consumption, self-sufficiency and cost of each window.

        From the meters' lifetime counters, so right over outages, counter resets and the change to summer time. The
        receiver sums up once a minute: what came in since is not in it yet. CSV has the windows alone.
        """
        self._access.reader(request, serial)
        answers.once_each(request, _PARAMETERS)
        await self._latest.exists(serial)
        site, now_ms = self._sites.of(serial), self._clock.now_ms()
        zone = times.zone(time_zone, site)
        asked = times.time_range(start, stop, zone, now_ms, default=DEFAULT_START)
        found = await energies(self._store, serial, site, every=every, asked=asked, zone=zone, now_ms=now_ms)
        if answers.wants_csv(request, wanted):
            return answers.csv_pieces(request, COLUMNS, found.windows)
        document = {"gateway": serial, "every": every, "time_zone": zone.key}
        return answers.json_pieces(request, _pieces(document, found))


def _pieces(document: dict[str, str], found: EnergyWindows) -> Iterator[bytes]:
    """An `EnergyTable`, some windows at a time."""
    yield msgspec.json.encode({**document, "total": found.total})[:-1] + b',"windows":['
    for first in range(0, len(found.windows), _WINDOWS_A_PIECE):
        inside = msgspec.json.encode(found.windows[first : first + _WINDOWS_A_PIECE])[1:-1]
        yield b"," + inside if first else inside
    yield b"]}"

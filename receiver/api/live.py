"""Server-sent events: stored readings as they come, and the sums of each second.

A browser's EventSource cannot send headers, so it comes with the session cookie. From the networks of `open_live` the
sums alone are served without a token, for wall displays and pages that only show production and consumption.
"""

import asyncio
import contextlib
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from receiver.api.access import Access
from receiver.api.live_answers import EndedView, LiveEventData
from receiver.api.parameters import WithoutParameters
from receiver.api.questions import AskedOfLive
from receiver.errors import RefusedError
from receiver.live.events import encode_comment, encode_event, encode_preamble, encode_reading
from receiver.live.hub import MOST_WAITING, YOUNG_MS, Hub, Viewer
from receiver.sites import LocatedSites
from receiver.stores.base import Store
from shared.clock import Clock
from shared.fields import KINDS
from shared.readings import Reading
from shared.units import MINUTE_MS

TICK_S = 1.0
CHECK_S = 60.0
"""How often it is looked again whether the viewer still may see this."""
SEND_S = 20.0
"""A viewer that takes nothing for so long is gone."""
_OBJECTS: Final = {"responses": {"200": {"content": {"text/event-stream": {"schema": {"type": "object"}}}}}}
"""FastAPI publishes what is no JSON document as text; the data of each event is an object."""
_AHEAD_MS = 10 * MINUTE_MS  # scrapers' clocks may be ahead by this much


class LiveRoutes:
    """The route `/api/v1/gateways/{serial}/live`.

    Args:
        hub: Where the events come from.
        store: What a viewer missed.
        access: Looks again whether the viewer still may see this.
        sites: Roles and signs of meters.
        clock: What time it is.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        store: Store,
        access: Access,
        sites: LocatedSites,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._store = store
        self._access = access
        self._sites = sites
        self._clock = clock

    def make_router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways", tags=["live"], redirect_slashes=False)
        router.add_api_route(
            "/{serial}/live",
            self.watch,
            status_code=200,
            response_class=_EventStream,
            responses={200: {"model": LiveEventData, "description": "Events; the schema is that of their data"}},
            openapi_extra=_OBJECTS,
        )
        return router

    async def watch(self, question: AskedOfLive, _: WithoutParameters, request: Request) -> Response:
        """Events as they happen: `reading` (a stored reading) and, once a second, `solar_data` (W: p, c, n)."""
        viewer = await self._hub.open_view(question.serial, question.reader)
        return _EventStream(self, request, viewer, whole=question.caller is not None)

    async def feed(self, viewer: Viewer, request: Request, send: Send, *, whole: bool) -> None:
        """Send events until the view ends; says why at the end. Raises TimeoutError for a viewer that takes nothing."""
        await _send(send, encode_preamble())
        if whole:
            for piece in await self._read_missed(viewer.gateway, request.headers.get("last-event-id", "")):
                await _send(send, piece)
        check_at = self._clock.monotonic() + CHECK_S
        next_tick = 0.0
        loop = asyncio.get_running_loop()
        while viewer.ended is None:
            waiting = b""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_tick):
                    waiting = await viewer.wait_for_events()
            parts = [waiting] if whole else []
            if loop.time() >= next_tick:
                next_tick = loop.time() + TICK_S
                parts.append(self._make_tick(viewer))
                if self._clock.monotonic() >= check_at and whole:
                    check_at += CHECK_S
                    self._check(viewer, request)
            if data := b"".join(parts):
                await _send(send, data)
        await _send(send, encode_event("ended", EndedView(reason=viewer.ended)))

    def _make_tick(self, viewer: Viewer) -> bytes:
        self._hub.renew(viewer)
        sums = viewer.powers.sum_up(self._clock.now_ms(), self._sites.get_site(viewer.gateway))
        return encode_comment("the household now is not known") if sums is None else encode_event("solar_data", sums)

    def _check(self, viewer: Viewer, request: Request) -> None:
        try:
            self._access.identify(request, viewer.gateway)
        except RefusedError as error:
            viewer.end(error.problem)

    async def _read_missed(self, gateway: str, last_event_id: str) -> list[bytes]:
        """What was stored since a viewer's cursor, as far as it is still young, in the order of time.

        The cursor is a time of a meter's reading; other kinds come late by their nature, so all young ones are sent:
        hearing a reading twice is harmless, for it is the same identity.
        """
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 16):
            return []
        now = self._clock.now_ms()
        missed: list[Reading] = []
        for kind in KINDS:
            start = max(int(last_event_id) + 1, now - YOUNG_MS) if kind == "meter" else now - YOUNG_MS
            stop = now + _AHEAD_MS
            for series, points in await self._store.read_points(
                gateway, kind, start=start, stop=stop, most=MOST_WAITING
            ):
                missed += [Reading(kind, dict(series.tags), point.timestamp, point.fields) for point in points]
        missed.sort(key=lambda reading: reading.timestamp)
        return [encode_reading(reading) for reading in missed]

    def leave(self, viewer: Viewer) -> None:
        """The view is over."""
        self._hub.leave(viewer)


class _EventStream(Response):
    """A response without end; Starlette's own would wait without limit on a viewer that takes nothing."""

    media_type = "text/event-stream"

    def __init__(self, live: LiveRoutes, request: Request, viewer: Viewer, *, whole: bool) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._live = live
        self._request = request
        self._viewer = viewer
        self._whole = whole

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(self._notice_leaving(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._live.feed(self._viewer, self._request, send, whole=self._whole)
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            pass  # it takes nothing: the connection ends unfinished, and its browser comes back if it lives
        finally:
            gone.cancel()
            self._live.leave(self._viewer)

    async def _notice_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._viewer.end("left")


async def _send(send: Send, data: bytes) -> None:
    async with asyncio.timeout(SEND_S):
        await send({"type": "http.response.body", "body": data, "more_body": True})

"""A view of the live stream, as a test opens and reads it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_read_claims, sign

LIVE = f"/api/v1/gateways/{GATEWAY}/live"
Event = tuple[str, dict[str, Any], str]


def make_token(**changes: Any) -> str:
    return sign(make_read_claims(**changes), READ_SECRET, kid="read")


class View:
    """An open connection that reads events."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def wait_for_next(self, *names: str) -> Event:
        """The next event of one of these names: name, data, id."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif fields.get("event") in names:
                    return fields["event"], json.loads(fields["data"]), fields.get("id", "")
                else:
                    fields = {}
        raise AssertionError("the stream ended")

    async def wait_for_end(self) -> None:
        async for _ in self._lines:
            pass


@contextlib.asynccontextmanager
async def open_view(service: Service, path: str = LIVE, **headers: str) -> AsyncIterator[View]:
    headers = headers or {"authorization": f"Bearer {make_token(now_ms=service.clock.ms)}"}
    async with service.client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield View(answer.aiter_lines())


def make_net(power: float, **changes: float) -> Reading:
    return Reading("meter", {"meter": "net-consumption", "phase": "a"}, NOW_MS, {"power": power, **changes})

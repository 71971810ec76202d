"""A real receiver with fake channels and a clock that tests move: readings are sent, minutes pass, alarms are told."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from receiver.service.app import run_receiver
from receiver.service.build import build
from receiver.settings import ContactSettings
from shared.readings import FieldValue, Reading
from tests.clocks import StoppedClock
from tests.receiver.service import GATEWAY, UNLIMITED, Service, make_settings

MINUTE_S = 60


def make_report(now_ms: int, **fields: Any) -> Reading:
    """The reading that a scraper makes of itself each minute."""
    known: dict[str, FieldValue] = {
        "stream_connected": 1.0,
        "inverters_known": 3.0,
        "outbox_rows": 5.0,
        "lost_rows": 0.0,
        "role": "owner",
    }
    return Reading("gateway", {}, now_ms, {**known, **fields})


@contextlib.asynccontextmanager
async def start(
    state_dir: Path, contacts: ContactSettings | None = None, clock: StoppedClock | None = None, **changes: Any
) -> AsyncIterator[Service]:
    """Run a receiver that sends to these contacts."""
    settings = make_settings(state_dir, **changes)
    clock = clock or StoppedClock()
    receiver = build(settings, clock=clock, limits=UNLIMITED, contacts=contacts)
    async with (
        run_receiver(receiver, host="127.0.0.1", port=0) as listener,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", timeout=30) as client,
    ):
        yield Service(receiver, settings, clock, client, listener)


async def pass_minutes(service: Service, minutes: int, *, report: bool = True, **fields: Any) -> None:
    """So many minutes, in each of which the scraper reports (or not) and the alarms are judged."""
    for _ in range(minutes):
        service.clock.advance(MINUTE_S)
        if report:
            await service.send(make_report(service.clock.ms, **fields))
        await service.receiver.alarms.run_once()


async def list_alarms(service: Service, gateway: str = GATEWAY) -> list[tuple[str, str]]:
    """Id and phase of each alarm of a gateway."""
    found = service.receiver.alarms.list_of_gateway(gateway)
    return [(key.alarm, str(state.phase)) for key, state in found]

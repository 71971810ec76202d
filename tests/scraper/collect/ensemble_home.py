"""A simulated gateway with batteries, and what reads them into a real outbox."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from scraper.collect.ensemble import EnsembleSamples
from shared.readings import Reading
from simulator.server import Simulator
from tests.clocks import StoppedClock
from tests.scraper.gateway.test_simulated_gateways import open_gateway
from tests.scraper.scripted import ScriptedScraper, run_scripted_scraper
from tests.simulator.reading import make_clock as device_clock

POWER = "/ivp/ensemble/power"


@dataclass
class EnsembleHome:
    """A simulated gateway, and what reads its batteries."""

    sim: Simulator
    scraper: ScriptedScraper
    samples: EnsembleSamples
    clock: StoppedClock

    async def poll(self, minutes: int = 1) -> list[Reading]:
        """A round after so many minutes; what it committed."""
        before = len(await self.scraper.list_rows())
        self.clock.advance(60 * minutes)
        await self.samples.poll_states()
        return (await self.scraper.list_rows())[before:]

    def count(self, path: str) -> int:
        """How often a path was asked."""
        return sum(entry.values["path"] == path for entry in self.sim.ledger.list_kind("request"))


@contextlib.asynccontextmanager
async def open_home(
    folder: Any, profile: str = "battery", *faults: str, clock: StoppedClock | None = None
) -> AsyncIterator[EnsembleHome]:
    """The scraper that used `folder` before, if there was one."""
    clock = clock or StoppedClock()
    async with (
        Simulator(profile, clock=device_clock(), late_morning=True) as sim,
        open_gateway(sim, folder / f"gateway-{sim.https_port}", clock=clock) as gateway,
        run_scripted_scraper(folder, clock=clock) as scraper,  # type: ignore[arg-type]
    ):
        for fault in faults:
            sim.faults.switch_on(fault)
        await gateway.connect()
        await gateway.read_meters()
        yield EnsembleHome(
            sim,
            scraper,
            EnsembleSamples(gateway, scraper.recorder, scraper.memory, clock, scraper.samples.host_time),
            clock,
        )


def find_one(readings: list[Reading], kind: str) -> Reading:
    """The one reading of a kind."""
    (found,) = (one for one in readings if one.kind == kind)
    return found


def sum_storage(sim: Simulator) -> float:
    """What the simulated battery gives, W."""
    return sum(phase.active_power_w for phase in sim.device.read_state().meters["storage"])

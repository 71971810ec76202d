"""The whole simulator: a gateway, the cloud that signs its tokens, and a control port, in one object."""

import asyncio
import contextlib
import datetime as dt
import functools
import tempfile
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from simulator.clock import DeviceClock, SimClock
from simulator.cloud.records import SystemRecords
from simulator.cloud.server import CloudServer
from simulator.control import Control
from simulator.faults import Faults
from simulator.gateway.access import EndpointAccess
from simulator.gateway.answers import Answers
from simulator.gateway.device import Device
from simulator.gateway.server import GatewayServer
from simulator.gateway.tokens import TokenAuthority
from simulator.house import House, find_late_morning_offset
from simulator.house.profile import HouseProfile
from simulator.house.profiles import PROFILES as HOUSES
from simulator.ledger import Ledger
from simulator.profiles import GatewayProfile, find_profile
from simulator.state import StateFolder
from simulator.web.tls import make_gateway_certificate

# The counters are kept as they will stand this much later, so that after a kill they never step back.
_KEEP_EVERY_S = 30.0
_KEEP_AHEAD_S = 60


class Simulator:
    """One pretend gateway on real ports.

        async with Simulator("firmware-8") as sim:
            ...  # https://127.0.0.1:{sim.https_port}, token sim.token("owner")

    Args:
        profile: a gateway profile or its name.
        house: name of another house for that gateway.
        seed: of the weather and the household.
        clock: simulated time; the host's own by default.
        late_morning: shift the sun, and only the sun, so that it is late morning now.
        counters_start: house time (epoch seconds) at which the counters begin; None is the start of the house's
            present day. Counters cost about a second of computing for each day since then.
        host: address to bind.
        http_port: 0 for any.
        https_port: 0 for any.
        control_port: 0 for any.
        state_dir: where certificate, keys and counters outlive the process; None keeps nothing.
        ledger_file: JSON lines of everything sent.
        ledger_keep: how many entries the ledger keeps in memory; None keeps all.
        installer_password: overrides the derived one (firmware before 7).

    Attributes:
        faults: its switches.
        ledger: what it sent.
        clock: its time.
        cloud: login and tokens, and the API.
        device: what it knows, for comparing with what a reader understood.
    """

    def __init__(
        self,
        profile: GatewayProfile | str = "firmware-8",
        *,
        house: str | None = None,
        seed: int = 1,
        clock: DeviceClock | None = None,
        late_morning: bool = False,
        counters_start: float | None = None,
        host: str = "127.0.0.1",
        http_port: int = 0,
        https_port: int = 0,
        control_port: int = 0,
        state_dir: Path | None = None,
        ledger_file: Path | None = None,
        ledger_keep: int | None = None,
        installer_password: str | None = None,
    ) -> None:
        self.profile = find_profile(profile, house) if isinstance(profile, str) else profile
        self.host = host
        self.clock: DeviceClock = clock if clock is not None else SimClock()
        self.faults = Faults()
        self.ledger = Ledger(ledger_file, ledger_keep)
        self._folder = tempfile.TemporaryDirectory(prefix="envoy-simulator-")
        self._state = StateFolder(state_dir, self.profile.serial, self.profile.house) if state_dir else None
        self._authority = self._state.load_token_authority() if self._state is not None else TokenAuthority()
        house_profile = HOUSES[self.profile.house]
        offset = round(find_late_morning_offset(house_profile, self.clock.now(), seed)) if late_morning else 0
        if counters_start is None:
            counters_start = _find_start_of_day(house_profile, self.clock.now() + offset)
        built = _make_house(house_profile, seed, counters_start)
        self.device = Device(self.profile, built, self.clock, self.faults, house_offset_s=offset)
        access = EndpointAccess(self.device, self._authority, self.faults, installer_password)
        answers = Answers(self.device, access, self.ledger)
        certificate = self._state.load_certificate() if self._state else make_gateway_certificate(self.profile.serial)
        self._gateway = GatewayServer(
            self.device, access, answers, certificate, host=host, ports=(http_port, https_port)
        )
        folder = state_dir if state_dir is not None else Path(self._folder.name)
        records = SystemRecords(built, offset, self.clock, self.faults, has_meters=self.profile.cts_enabled)
        self.cloud = CloudServer(
            self._authority,
            self.clock,
            self.faults,
            host=host,
            folder=folder,
            records=records,
            serial=self.profile.serial,
        )
        self._control = Control(self.faults, self.ledger, self.describe, host="127.0.0.1", port=control_port)
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        # Adding up the counters takes up to a second of a processor: not while a reader waits.
        await asyncio.to_thread(self.device.read_counters)
        if self._state is not None:
            kept = self._state.load_counters()
            if kept is not None:
                self.device.continue_from(kept)
            self._keeping = asyncio.create_task(self._keep_counters(self._state))
        self._gateway.start()
        self.cloud.start()
        self._control.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._gateway.stop()
        await self.cloud.stop()
        await self._control.stop()
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._state is not None:
            self._state.keep_counters(self.device.read_counters())
        self.ledger.close()
        self._folder.cleanup()

    @property
    def serial(self) -> str:
        """The gateway's serial, 12 digits."""
        return self.device.serial

    @property
    def http_port(self) -> int:
        """Plain http: everything before firmware 7, a redirect from then on."""
        return self._gateway.http_port

    @property
    def https_port(self) -> int:
        """Https; refuses connections before firmware 7."""
        return self._gateway.https_port

    @property
    def control_port(self) -> int:
        """The port that throws switches."""
        return self._control.port

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the gateway's present certificate, lower-case hex."""
        return self._gateway.certificate.fingerprint

    def make_token(self, role: str = "owner", expires_in: float | None = None, serial: str | None = None) -> str:
        """A token for this gateway (or another serial), as the cloud would sign it.

        Args:
            role: `owner`, `installer`, or another of the firmware's roles.
            expires_in: seconds, may be negative; None is the cloud's usual life for the role.
            serial: another gateway's.
        """
        return self._authority.issue(serial or self.serial, role, self.clock.now(), expires_in)

    def describe(self) -> dict[str, Any]:
        """Everything a reader needs to begin, as JSON."""
        return {
            "serial": self.serial,
            "firmware": self.device.profile.firmware,
            "host": self.host,
            "http_port": self.http_port,
            "https_port": self.https_port,
            "control_port": self.control_port,
            "fingerprint": self.fingerprint,
            "tokens": {role: self.make_token(role) for role in ("owner", "installer")},
            "cloud": self.cloud.describe(),
            "time": self.clock.now(),
            "house_offset_s": self.device.house_offset_s,
        }

    async def _keep_counters(self, state: StateFolder) -> None:
        while True:
            state.keep_counters(self.device.read_counters(self.device.find_moment() + _KEEP_AHEAD_S))
            await asyncio.sleep(_KEEP_EVERY_S)


def _find_start_of_day(house: HouseProfile, moment: float) -> float:
    local = dt.datetime.fromtimestamp(moment, ZoneInfo(house.time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


@functools.lru_cache(maxsize=8)
def _make_house(profile: HouseProfile, seed: int, start: float) -> House:
    """A house is a pure function of these: the many simulators of a test run share what it has already added up."""
    return House(profile, seed, start)

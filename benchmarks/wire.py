"""Bytes on the wire for a simulated day, headers both ways included.

    python -m benchmarks.wire

A day of a three-phase house with 24 inverters goes second by second through the scraper's own parsers, delta
detection and outbox; every ten simulated seconds the real uplink posts what is there to a real receiver, through a
proxy that counts bytes in both directions. Only the waiting is left out.
"""

import asyncio
import json
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.processes import SECRET, run_receiver
from scraper.collect.memory import DurableMemory
from scraper.collect.recorder import Recorder
from scraper.delta.tracker import Tracker
from scraper.gateway.parse.device_data import join_inverters, parse_device_data
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import parse_meters
from scraper.gateway.parse.stream import parse_event
from scraper.outbox.thread import OutboxThread
from scraper.uplink.sender import Sender
from scraper.uplink.signer import HouseholdSecret, Signer
from scraper.uplink.uplink import Uplink
from shared.clock import SystemClock
from shared.readings import Reading
from shared.units import DAY_S, MINUTE_S
from simulator.clock import ManualClock
from simulator.faults import Faults
from simulator.gateway.device import Device
from simulator.gateway.payloads import device_data, inverters, meters
from simulator.house import THREE_PHASE, House, find_late_morning_offset
from simulator.profiles import find_profile

POST_S = 10
SERIAL = "122000000001"
PROMISE_MB = 10.0
STATUS: dict[str, float | str] = {
    "poll_seconds": 0.0312, "stream_connected": 1.0, "login_blocked": 0.0, "certificate_changed": 0.0,
    "outbox_rows": 12.0, "outbox_bytes": 65536.0, "dead_letters": 0.0, "lost_rows": 0.0, "inverters_known": 24.0,
    "version": "0.1.0", "firmware": "D8.2.4345", "role": "installer", "token_expires_in": 40123.25, "clock_offset": 0.4,
}  # fmt: skip


class CountingProxy:
    """Forwards connections to a port and counts what passes.

    Attributes:
        up: Bytes towards the receiver.
        down: Bytes from it.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.up = 0
        self.down = 0

    async def start(self) -> int:
        """Listen; returns the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, far_writer, up=True), self._pump(far_reader, writer, up=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while chunk := await reader.read(65536):
            if up:
                self.up += len(chunk)
            else:
                self.down += len(chunk)
            writer.write(chunk)
        writer.close()


class DeviceDay:
    """The device's own documents of a summer day, dated yesterday."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.start_s = int((now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
        shift_s = round(find_late_morning_offset(THREE_PHASE, now.timestamp(), 1) / DAY_S) * DAY_S
        house = House(THREE_PHASE, 1, start=self.start_s + shift_s - DAY_S)
        self._clock = ManualClock(self.start_s)
        self._device = Device(find_profile("firmware-8"), house, self._clock, Faults(), house_offset_s=shift_s)
        self._meters = parse_meters(meters.list_meters(self._device))
        self.verbatim = 0

    def make_samples(self, second: int) -> list[Reading]:
        """The samples of a scraper in this second of the day."""
        self._clock.advance(1)
        stamp = (self.start_s + second) * 1000
        line = b"data: " + json.dumps(meters.make_stream_event(self._device), separators=(",", ":")).encode()
        self.verbatim += len(line) + 2
        samples = [one.make_reading(stamp) for one in parse_event(line, self._meters)]
        if second % MINUTE_S == 0:
            counted = parse_readings(meters.list_readings(self._device), self._meters)
            samples += [one.make_energy_reading(stamp) for one in counted]
            samples += join_inverters(
                parse_inverters(inverters.list_inverters(self._device)),
                parse_device_data(device_data.describe_device_data(self._device)),
            )
            samples.append(Reading("gateway", {}, stamp, {**STATUS}))
        return samples


async def send_day(folder: Path, port: int) -> tuple[CountingProxy, int, int]:
    """Send one day; returns the proxy, the bytes of the stream verbatim, and the readings sent."""
    feed, proxy, clock, outbox = DeviceDay(), CountingProxy(port), SystemClock(), OutboxThread()
    await outbox.open(folder / "outbox.sqlite", quota_bytes=1 << 29, clock=clock)
    recorder = Recorder(Tracker(), outbox, DurableMemory(outbox), clock)
    sender = Sender(f"http://127.0.0.1:{await proxy.start()}", SERIAL, None)
    signer = Signer(HouseholdSecret(SECRET), SERIAL)
    uplink = Uplink(outbox, sender, signer, clock, interval_s=POST_S, rng=random.Random(1))
    for second in range(DAY_S):
        await recorder.record(feed.make_samples(second))
        if second % POST_S == POST_S - 1:
            await uplink.drain()
    await sender.aclose()
    await outbox.close()
    return proxy, feed.verbatim, uplink.state.delivered


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, run_receiver(Path(name), SERIAL) as (port, _):
        proxy, verbatim, readings = asyncio.run(send_day(Path(name), port))
    total = (proxy.up + proxy.down) / 1e6
    print(f"one day: {readings:,} readings, {proxy.up / 1e6:.2f} MB up, {proxy.down / 1e6:.2f} MB down")
    print(f"together {total:.2f} MB (promise: {PROMISE_MB:.0f}); the stream verbatim: {verbatim / 1e6:.1f} MB, "
          f"{total / (verbatim / 1e6):.3f} of it")  # fmt: skip
    sys.exit(0 if total <= PROMISE_MB else 1)


if __name__ == "__main__":
    main()

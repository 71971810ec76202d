"""The uplink against the real receiver with its real store."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scraper.uplink.edge_key import EdgeKey
from scraper.uplink.signer import HouseholdSecret
from shared.clock import SystemClock
from shared.readings import Reading
from tests.clocks import NOW_MS, SteppedClock
from tests.receiver import service as receiver
from tests.receiver.service import GATEWAY
from tests.scraper.uplink.uplink_bench import UplinkBench, open_bench


@pytest.fixture
async def service(tmp_path) -> AsyncIterator[receiver.Service]:
    async with receiver.start(tmp_path / "hosted", meter_days=0) as running:  # the readings of these tests are old
        running.clock.ms = SystemClock().now_ms()  # the Date of its answers is the host's
        yield running


@contextlib.asynccontextmanager
async def open_bench_at(service, folder, *, ahead_ms=0, secret=None, key=None, serial=GATEWAY, name=None):
    async with open_bench(
        folder / "edge",
        clock=SteppedClock(service.clock.ms + ahead_ms),
        url=f"http://127.0.0.1:{service.port}",
        key=key or HouseholdSecret(secret or receiver.SECRET.decode()),
        serial=serial,
        receiver=name,
    ) as bench:
        yield bench


async def count_stored(service) -> int:
    count: int = await service.receiver.store.count()
    return count


async def test_everything_is_stored_and_leaves_the_outbox(service, tmp_path):
    async with open_bench_at(service, tmp_path) as bench:
        await bench.add(1200)
        await bench.uplink.drain()
        assert await bench.count_waiting() == 0
    assert await count_stored(service) == 1200


async def test_bad_rows_become_dead_letters_with_their_codes_and_all_others_arrive(service, tmp_path):
    async with open_bench_at(service, tmp_path) as bench:
        await bench.add(10)
        await bench.outbox.append([Reading("turbine", {}, NOW_MS, {"power": 1.0})])
        await bench.add(10, apparent_power=1.0)
        await bench.outbox.append([Reading("meter", {"wrong": "tag"}, NOW_MS, {"power": 1.0})])
        await bench.uplink.drain()
        codes = [letter.code for letter in bench.outbox.outbox.read_dead_letters()]
        assert sorted(codes) == ["unknown-kind", "unprocessable"]
        assert await bench.count_waiting() == 0
    assert await count_stored(service) == 10  # the same identities: fields merge


async def test_the_same_rows_twice_are_stored_once(service, tmp_path):
    """The receiver stored, and its answer was lost."""
    async with open_bench_at(service, tmp_path) as bench:
        await bench.add(5)
        rows = await bench.outbox.read_newest(500, 1 << 18)
        await bench.uplink._post(rows)
        await bench.uplink.drain()
        assert await bench.count_waiting() == 0
    assert await count_stored(service) == 5


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_that_is_off_by_a_day_is_let_in(service, tmp_path, days):
    async with open_bench_at(service, tmp_path, ahead_ms=days * 86_400_000) as bench:
        await bench.add(1)
        await bench.uplink.drain()
        assert await bench.count_waiting() == 0
    assert await count_stored(service) == 1


async def find_pause(bench: UplinkBench) -> str:
    async with bench.run_uplink():
        assert 10 <= await bench.clock.end_next_sleep() <= 11
    assert bench.uplink.state.person_needed
    assert await bench.count_waiting() == 1
    return bench.uplink.state.problem or ""


async def test_a_wrong_secret_is_said(service, tmp_path):
    async with open_bench_at(service, tmp_path, secret="x" * 40) as bench:
        await bench.add(1)
        assert "ENVOY_RECEIVER_SECRET must equal RECEIVER_SECRET" in await find_pause(bench)


async def test_a_gateway_that_is_not_allowed_is_said(service, tmp_path):
    async with open_bench_at(service, tmp_path, serial="122399999999") as bench:
        await bench.add(1)
        assert "RECEIVER_GATEWAYS" in await find_pause(bench)


async def test_an_ed25519_key_is_let_in_once_the_receiver_knows_it_and_nothing_is_lost_before(service, tmp_path):
    private = Ed25519PrivateKey.generate()
    async with open_bench_at(service, tmp_path, key=EdgeKey(private)) as bench:
        await bench.add(1)
        assert "envoy-receiver keys add" in await find_pause(bench)
        service.add_key(private)
        async with bench.run_uplink():
            slept_s = 0.0
            while True:
                wait_s, wake = await bench.clock.await_sleep()
                if not await bench.count_waiting():
                    break
                slept_s += wait_s
                bench.clock.advance(wait_s)
                service.clock.advance(wait_s)
                wake.set_result(None)
            assert slept_s <= 15, "readings flow within 15 s"
        assert not bench.uplink.state.person_needed
    assert await count_stored(service) == 1


@pytest.mark.parametrize(("ours", "theirs", "delivered"), [
    ("solar.example.org", "solar.example.org", True),
    ("solar.example.org", None, True),  # the scrapers are told the name first
    (None, "solar.example.org", False),
    ("other.example.org", "solar.example.org", False),
])  # fmt: skip
async def test_a_named_receiver_takes_what_is_addressed_to_it(tmp_path, ours, theirs, delivered):
    async with receiver.start(tmp_path / "hosted", meter_days=0, name=theirs) as service:
        service.clock.ms = SystemClock().now_ms()
        async with open_bench_at(service, tmp_path, name=ours) as bench:
            await bench.add(1)
            if not delivered:
                assert "ENVOY_RECEIVER_NAME" in await find_pause(bench)
                return
            await bench.uplink.drain()
        assert await count_stored(service) == 1

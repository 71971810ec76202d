"""A receiver that is stopped and started in an orderly way: EmonCMS gets each slot once, and no time ever goes back."""

import time
from collections.abc import Callable, Sequence

import httpx
import pytest

from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from scraper.uplink.signer import HouseholdSecret, Signer
from shared.readings import FieldValue, Reading
from shared.units import MINUTE_MS
from tests.end_to_end.processes import Process, find_free_port, wait_until
from tests.fake_http import run_server
from tests.receiver.outputs.emoncms_fake import WRITE_KEY, FakeEmonCms
from tests.receiver.service import GATEWAY, make_batch

SECRET = "the secret of one household that is updated"
STEP_MS = 10_000
MINUTES = 40
"""The roll-ups have not settled the last two quarter hours of them."""
PANELS = ("482300001111", "482300001112")


def list_readings(start: int, stop: int) -> list[Reading]:
    found = []
    for at in range(start, stop, STEP_MS):
        fields: dict[str, FieldValue] = {"power": 500.0 + at % 700, "voltage": 231.0}
        found += [
            Reading("meter", {"meter": meter, "phase": "a"}, at, fields) for meter in ("production", "net-consumption")
        ]
        if at % (5 * MINUTE_MS) == 0:
            found += [Reading("inverter", {"inverter": panel}, at, {"power": 100.0}) for panel in PANELS]
    return found


@pytest.fixture
def emoncms() -> FakeEmonCms:
    return FakeEmonCms()


async def post(url: str, readings: Sequence[Reading], first: int) -> None:
    token = Signer(HouseholdSecret(SECRET), GATEWAY).get_token(int(time.time()))
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{url}/api/v1/gateways/{GATEWAY}/batches",
            content=make_batch(*readings, batch=f"{first:x}", first=first),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
    assert answer.status_code == 200, answer.text
    assert not answer.json().get("rejected")


def make_receiver(folder, emoncms_port: int, port: int) -> Process:
    (folder / "state").mkdir(mode=0o700)
    (folder / "sites.yaml").write_text(f'"{GATEWAY}": {{time_zone: Europe/Berlin, outputs: {{emoncms: {{}}}}}}')
    settings = {
        "RECEIVER_STORE": f"sqlite:///{folder / 'state' / 'readings.sqlite'}",
        "RECEIVER_STATE_DIR": str(folder / "state"),
        "RECEIVER_SITES_FILE": str(folder / "sites.yaml"),
        "RECEIVER_SECRET": SECRET,
        "RECEIVER_GATEWAYS": GATEWAY,
        "RECEIVER_PORT": str(port),
        "RECEIVER_STATUS_PORT": "0",
        "RECEIVER_EMONCMS_URL": f"http://127.0.0.1:{emoncms_port}/emoncms",
        "RECEIVER_EMONCMS_API_KEY": WRITE_KEY,
    }
    return Process("receiver", "run", directory=folder, settings=settings)


def list_times(fake: FakeEmonCms, node: str) -> list[int]:
    return [at for _, rows in fake.posts for at, named, _ in rows if named == node]


def has_until(fake: FakeEmonCms, stop_ms: int) -> Callable[[], bool]:
    """Whether it has all slots that are over before a reading of then."""
    return lambda: max(list_times(fake, "envoy"), default=0) * 1000 >= stop_ms - 2 * STEP_MS


@pytest.mark.slow
async def test_an_orderly_restart_sends_no_slot_twice_and_none_behind_another(tmp_path, emoncms):
    now = time.time_ns() // 1_000_000 // STEP_MS * STEP_MS
    begin, first_stop, stop = now - MINUTES * MINUTE_MS, now - 2 * MINUTE_MS, now
    async with run_server(emoncms.answer) as server:
        receiver = make_receiver(tmp_path, server.port, port := find_free_port())
        leave_wish(tmp_path / "state" / FILE, OutputWish("emoncms", GATEWAY, begin))
        async with receiver:
            await receiver.wait_for_line("receiving")
            await post(f"http://127.0.0.1:{port}", list_readings(begin, first_stop), 1)
            await wait_until(has_until(emoncms, first_stop), "the slots before the restart")
            assert await receiver.stop() == 0
            before = len(emoncms.posts)
            await receiver.start()
            await receiver.wait_for_line("receiving")
            await post(f"http://127.0.0.1:{port}", list_readings(first_stop, stop), 100_000)
            await wait_until(has_until(emoncms, stop), "the slots after it")
            assert await receiver.stop() == 0
    slots, reports = list_times(emoncms, "envoy"), list_times(emoncms, "envoy-panels")
    assert slots == list(range(begin // 1000, slots[-1] + 1, STEP_MS // 1000))
    assert reports == sorted(reports)
    assert len(reports) == len(set(reports))
    assert not emoncms.disordered
    assert len(emoncms.posts) > before

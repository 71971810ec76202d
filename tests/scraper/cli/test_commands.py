"""The commands, as their users type them."""

import json
from collections.abc import AsyncIterator

import pytest

from scraper.outbox.thread import OutboxThread
from shared.clock import SystemClock
from shared.readings import Reading
from simulator.gateway.password import installer_password
from simulator.server import Simulator
from tests.scraper.commands import CommandLine, Hosted, command_line_for, hosted
from tests.scraper.running_scraper import until


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator("firmware-8") as running:
        yield running


@pytest.fixture
async def there(tmp_path, sim) -> AsyncIterator[Hosted]:
    async with hosted(tmp_path, sim.serial) as running:
        yield running


@pytest.fixture
def desk(tmp_path, sim, there) -> CommandLine:
    return command_line_for(sim, tmp_path, there.port)


async def readings_stored(there: Hosted, least: int) -> None:
    async def look() -> bool:
        return await there.receiver.store.count() >= least

    await until(look, lambda: f"{least} readings in the store")


async def test_the_password_of_any_serial_and_user(desk):
    said = await desk.command("password", "122012345678")
    assert (said.status, said.text.strip()) == (0, installer_password("122012345678"))


async def test_a_pasted_token_is_kept_and_tried_and_serves_from_then_on(desk, sim):
    said = await desk.command("token", "--paste", typed=sim.token("owner") + "\n", TOKEN="")
    assert said.status == 0, said.text
    assert f"Kept: owner rights for gateway {sim.serial}, until " in said.text
    assert f"Accepted by gateway {sim.serial}: owner rights, 8760 hours left." in said.text
    assert sim.token("owner")[:20] not in said.text
    assert (await desk.check(TOKEN="")).status == 0


@pytest.mark.parametrize("kind", ["foreign", "expired", "cut"])
async def test_a_pasted_token_that_cannot_serve_is_not_kept(desk, sim, kind):
    token = {
        "foreign": sim.token("owner", serial="122399999999"),
        "expired": sim.token("owner", -60),
        "cut": sim.token("owner")[:40],
    }[kind]
    said = await desk.command("token", "--paste", typed=token, TOKEN="")
    assert said.status == 1
    assert "https://entrez.enphaseenergy.com" in said.text
    assert not (desk.state_dir / "tokens").exists()


async def test_a_key_made_at_the_edge_delivers_once_the_receiver_has_it(desk, sim, there):
    made = await desk.command("key", RECEIVER_SECRET="")
    again = await desk.command("key", RECEIVER_SECRET="")
    assert made.status == 0, made.text
    line = made.text.strip()
    assert line.startswith("envoy-relay-key ed25519 ")
    assert line.endswith(sim.serial)
    assert again.text == made.text, "a second call makes no second key"
    assert (desk.state_dir / "key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in made.text
    hosted_dir = desk.folder / "hosted"
    added = CommandLine(
        desk.folder, {"RECEIVER_STATE_DIR": str(hosted_dir), "RECEIVER_KEYS_FILE": str(hosted_dir / "keys")}
    )
    said = await added.command("keys", "add", line, module="receiver")
    assert said.status == 0, said.text
    there.clock.by_s = 31  # the keys file is read again
    async with desk.run(RECEIVER_SECRET=""):
        await readings_stored(there, 10)


async def test_read_prints_what_the_gateway_says_and_stores_nothing(desk, sim):
    said = await desk.command("read", "--json")
    assert said.status == 0, said.text
    readings = [json.loads(line) for line in said.text.splitlines()]
    assert {reading["kind"] for reading in readings} == {"inverter", "meter", "meter_energy"}
    inverters = {
        reading["tags"]["inverter"]: reading["fields"]["power"] for reading in readings if reading["kind"] == "inverter"
    }
    assert len(inverters) == len(sim.device.house_profile.panels)
    plain = await desk.command("read")
    assert "inverter" in plain.text
    assert not (desk.state_dir / "outbox.sqlite").exists()


async def test_a_second_scraper_on_the_same_state_says_so_and_ends(desk):
    async with desk.run() as first:
        await first.says("gateway login")
        second = await desk.command("run")
        assert second.status == 1
        assert "another scraper (process " in second.text
        assert "stop it, or give this one a directory of its own with ENVOY_STATE_DIR" in second.text
        assert (await first.stop()).status == 0


async def test_a_status_port_that_is_taken_is_named(desk, there):
    said = await desk.command("run", STATUS_PORT=str(there.port))
    assert said.status == 1
    assert f"ENVOY_STATUS_PORT: cannot listen on 127.0.0.1:{there.port}" in said.text


async def insert(desk: CommandLine, *readings: Reading) -> None:
    outbox = OutboxThread()
    await outbox.open(desk.state_dir / "outbox.sqlite", quota_bytes=64 * 1024 * 1024, clock=SystemClock())
    await outbox.append(readings)
    await outbox.settle([], dict.fromkeys(range(1, len(readings) + 1), "unknown-kind"))
    await outbox.close()


async def test_refused_readings_are_listed_shown_exported_and_replayed_beside_a_running_scraper(desk, there, tmp_path):
    now = SystemClock().now_ms()
    await insert(desk, *(Reading("event", {"type": "loss"}, now + index, {"rows": 7.0}) for index in range(3)))
    async with desk.run() as scraper:
        await scraper.says("gateway login")
        listed = await desk.command("outbox", "list")
        shown = await desk.command("outbox", "show", "2")
        absent = await desk.command("outbox", "show", "99")
        target = tmp_path / "letters.jsonl"
        exported = await desk.command("outbox", "export", str(target))
        twice = await desk.command("outbox", "export", str(target))
        replayed = await desk.command("outbox", "replay", "2")
        rest = await desk.command("outbox", "replay")

        async def delivered() -> bool:
            points = await there.receiver.store.points(
                (await there.receiver.store.gateways())[0].gateway, "event", tags={"type": "loss"}, start=0, stop=2**53
            )
            return sum(len(series.points) for series in points) == 3

        await readings_stored(there, 1)
        await until(delivered, lambda: "the replayed readings are delivered")
    assert "3 refused:" in listed.text
    assert listed.text.count("unknown-kind") == 3
    assert shown.text.startswith("unknown-kind  {")
    assert (absent.status, "`envoy-scraper outbox list` shows those there are" in absent.text) == (1, True)
    assert "3 readings written" in exported.text
    assert len(target.read_text().splitlines()) == 3
    assert (twice.status, "name a new file" in twice.text) == (1, True)
    assert "1 readings wait" in replayed.text
    assert "2 readings wait" in rest.text


async def test_an_outbox_that_was_never_made_is_no_traceback(desk):
    said = await desk.command("outbox", "list")
    assert (said.status, "it is made by the first `envoy-scraper run`" in said.text) == (1, True)


async def test_state_that_belongs_to_another_gateway_is_never_delivered_under_this_ones_name(desk, sim):
    async with desk.run(RECEIVER_URL="http://127.0.0.1:1") as scraper:
        await scraper.says("gateway login")
        await scraper.says("uplink waits")
    said = await desk.command("run", SERIAL="122399999999")
    assert said.status == 1
    assert f"readings of gateway {sim.serial}" in said.text
    assert f"run with ENVOY_SERIAL={sim.serial} until" in said.text

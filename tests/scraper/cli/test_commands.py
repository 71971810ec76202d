"""The commands, as their users type them."""

import json
from collections.abc import AsyncIterator

import pytest

from scraper.outbox.thread import OutboxThread
from shared.clock import SystemClock
from shared.readings import Reading
from simulator.gateway.password import derive_installer_password
from simulator.server import Simulator
from tests.scraper.commands import SECRET, CommandLine, HostedReceiver, make_command_line, run_hosted_receiver
from tests.scraper.running_scraper import wait_until


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator("firmware-8") as running:
        yield running


@pytest.fixture
async def there(tmp_path, sim) -> AsyncIterator[HostedReceiver]:
    async with run_hosted_receiver(tmp_path, sim.serial) as running:
        yield running


@pytest.fixture
def command_line(tmp_path, sim, there) -> CommandLine:
    return make_command_line(sim, tmp_path, there.port)


async def wait_for_readings(there: HostedReceiver, least: int) -> None:
    async def look() -> bool:
        return await there.receiver.store.count() >= least

    await wait_until(look, lambda: f"{least} readings in the store")


async def test_the_password_of_any_serial_and_user(command_line):
    outcome = await command_line.run_command("password", "122012345678")
    assert (outcome.status, outcome.text.strip()) == (0, derive_installer_password("122012345678"))


async def test_a_pasted_token_is_kept_and_tried_and_serves_from_then_on(command_line, sim):
    outcome = await command_line.run_command("token", "--paste", typed=sim.make_token("owner") + "\n", TOKEN="")
    assert outcome.status == 0, outcome.text
    assert f"Kept: owner rights for gateway {sim.serial}, until " in outcome.text
    assert f"Accepted by gateway {sim.serial}: owner rights, the token expires in " in outcome.text
    assert sim.make_token("owner")[:20] not in outcome.text
    assert (await command_line.check(TOKEN="")).status == 0


@pytest.mark.parametrize("kind", ["foreign", "expired", "cut"])
async def test_a_pasted_token_that_cannot_serve_is_not_kept(command_line, sim, kind):
    token = {
        "foreign": sim.make_token("owner", serial="122399999999"),
        "expired": sim.make_token("owner", -60),
        "cut": sim.make_token("owner")[:40],
    }[kind]
    outcome = await command_line.run_command("token", "--paste", typed=token, TOKEN="")
    assert outcome.status == 1
    assert "https://entrez.enphaseenergy.com" in outcome.text
    assert not (command_line.state_dir / "tokens").exists()


async def test_a_key_made_at_the_edge_delivers_once_the_receiver_has_it(command_line, sim, there):
    made = await command_line.run_command("key", RECEIVER_SECRET="")
    again = await command_line.run_command("key", RECEIVER_SECRET="")
    assert made.status == 0, made.text
    line = made.text.strip()
    assert line.startswith("envoy-relay-key ed25519 ")
    assert line.endswith(sim.serial)
    assert again.text == made.text, "a second call makes no second key"
    assert (command_line.state_dir / "key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in made.text
    hosted_dir = command_line.folder / "hosted"
    added = CommandLine(
        command_line.folder, {"RECEIVER_STATE_DIR": str(hosted_dir), "RECEIVER_KEYS_FILE": str(hosted_dir / "keys")}
    )
    outcome = await added.run_command("keys", "add", line, module="receiver")
    assert outcome.status == 0, outcome.text
    there.clock.by_s = 31  # the keys file is read again
    async with command_line.run(RECEIVER_SECRET=""):
        await wait_for_readings(there, 10)


async def test_read_prints_what_the_gateway_says_and_stores_nothing(command_line, sim):
    outcome = await command_line.run_command("read", "--json")
    assert outcome.status == 0, outcome.text
    readings = [json.loads(line) for line in outcome.text.splitlines()]
    assert {reading["kind"] for reading in readings} == {"inverter", "meter", "meter_energy"}
    inverters = {
        reading["tags"]["inverter"]: reading["fields"]["power"] for reading in readings if reading["kind"] == "inverter"
    }
    assert len(inverters) == len(sim.device.house_profile.panels)
    plain = await command_line.run_command("read")
    assert "inverter" in plain.text
    assert not (command_line.state_dir / "outbox.sqlite").exists()


async def test_a_second_scraper_on_the_same_state_says_so_and_ends(command_line):
    async with command_line.run() as first:
        await first.read_to("gateway login")
        second = await command_line.run_command("run")
        assert second.status == 1
        assert "another scraper (process " in second.text
        assert "stop it, or give this one a directory of its own with ENVOY_STATE_DIR" in second.text
        assert (await first.stop()).status == 0


@pytest.mark.parametrize("secret", [SECRET, ""], ids=["household secret", "key of its own"])
async def test_only_a_scraper_with_a_key_of_its_own_holds_the_library_that_signs_with_it(command_line, secret):
    """It takes nine megabytes of a Raspberry Pi."""
    async with command_line.run(RECEIVER_SECRET=secret) as scraper:
        await scraper.read_to("gateway login")
        assert scraper.has_loaded("site-packages/cryptography/") is not bool(secret)
        assert (await scraper.stop()).status == 0


async def test_a_status_port_that_is_taken_is_named(command_line, there):
    outcome = await command_line.run_command("run", STATUS_PORT=str(there.port))
    assert outcome.status == 1
    assert f"ENVOY_STATUS_PORT: cannot listen on 127.0.0.1:{there.port}" in outcome.text


async def insert(command_line: CommandLine, *readings: Reading) -> None:
    outbox = OutboxThread()
    await outbox.open(command_line.state_dir / "outbox.sqlite", quota_bytes=64 * 1024 * 1024, clock=SystemClock())
    await outbox.append(readings)
    await outbox.settle([], dict.fromkeys(range(1, len(readings) + 1), "unknown-kind"))
    await outbox.close()


async def test_refused_readings_are_listed_shown_exported_and_replayed_beside_a_running_scraper(
    command_line, there, tmp_path
):
    now = SystemClock().now_ms()
    await insert(command_line, *(Reading("event", {"type": "loss"}, now + index, {"rows": 7.0}) for index in range(3)))
    async with command_line.run() as scraper:
        await scraper.read_to("gateway login")
        listed = await command_line.run_command("outbox", "list")
        shown = await command_line.run_command("outbox", "show", "2")
        absent = await command_line.run_command("outbox", "show", "99")
        target = tmp_path / "letters.jsonl"
        exported = await command_line.run_command("outbox", "export", str(target))
        twice = await command_line.run_command("outbox", "export", str(target))
        replayed = await command_line.run_command("outbox", "replay", "2")
        rest = await command_line.run_command("outbox", "replay")

        async def is_delivered() -> bool:
            points = await there.receiver.store.read_points(
                (await there.receiver.store.list_gateways())[0].gateway,
                "event",
                tags={"type": "loss"},
                start=0,
                stop=2**53,
            )
            return sum(len(series.points) for series in points) == 3

        await wait_for_readings(there, 1)
        await wait_until(is_delivered, lambda: "the replayed readings are delivered")
    assert "3 refused:" in listed.text
    assert listed.text.count("unknown-kind") == 3
    assert shown.text.startswith("unknown-kind  {")
    assert (absent.status, "`envoy-scraper outbox list` shows those there are" in absent.text) == (1, True)
    assert "3 readings written" in exported.text
    assert len(target.read_text().splitlines()) == 3
    assert (twice.status, "name a new file" in twice.text) == (1, True)
    assert "1 readings wait" in replayed.text
    assert "2 readings wait" in rest.text


async def test_an_outbox_that_was_never_made_is_no_traceback(command_line):
    outcome = await command_line.run_command("outbox", "list")
    assert (outcome.status, "it is made by the first `envoy-scraper run`" in outcome.text) == (1, True)


async def test_state_that_belongs_to_another_gateway_is_never_delivered_under_this_ones_name(command_line, sim):
    async with command_line.run(RECEIVER_URL="http://127.0.0.1:1") as scraper:
        await scraper.read_to("gateway login")
        await scraper.read_to("uplink waits")
    outcome = await command_line.run_command("run", SERIAL="122399999999")
    assert outcome.status == 1
    assert f"readings of gateway {sim.serial}" in outcome.text
    assert f"run with ENVOY_SERIAL={sim.serial} until" in outcome.text


async def test_check_says_that_a_scraper_runs_already(command_line, tmp_path):
    before = await command_line.check()
    assert "start it with `envoy-scraper run`" in before.text
    async with command_line.run():

        async def look() -> bool:
            return "and it runs already" in (await command_line.check()).text

        await wait_until(look, lambda: "the running scraper to be noticed")

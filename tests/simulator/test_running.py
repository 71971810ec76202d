"""The simulator as a process: its command, its control port, and what outlives it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from simulator.faults import KINDS
from simulator.ledger import Ledger
from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader


@contextlib.asynccontextmanager
async def run_command(*arguments):
    """`envoy-simulator run` in a process of its own; its first line of output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator",
        "run",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        assert errors == b""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_says_what_a_reader_needs_and_stops_cleanly(stop):
    """One JSON line with ports, tokens and fingerprint; exit status 0 and nothing on stderr at the end."""
    async with run_command("--profile", "firmware-7", "--role", "installer") as (process, ready):
        assert ready["token"] == ready["tokens"]["installer"]
        assert len(ready["fingerprint"]) == 64
        async with httpx.AsyncClient(verify=False) as client:  # noqa: S501 (self-signed, as the device's)
            url = f"https://127.0.0.1:{ready['https_port']}/api/v1/production/inverters"
            reply = await client.get(url, headers={"Authorization": f"Bearer {ready['token']}"})
        assert len(reply.json()) == 24
        process.send_signal(stop)
        assert await process.wait() == 0


async def test_the_token_file_holds_a_token_of_the_role_before_the_first_line(tmp_path):
    """After the line is printed, the file exists, is private and holds a token that the gateway accepts."""
    file = tmp_path / "token"
    file.write_text("of yesterday")
    async with run_command("--role", "installer", "--token-file", str(file)) as (_, ready):
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_text() == ready["token"]


async def test_faults_of_the_command_line_are_on_from_the_start(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    arguments = ("--fault", "bad-gateway", "--fault", 'ghosts:{"count": 1}', "--ledger", str(ledger))
    async with run_command(*arguments) as (_, ready), httpx.AsyncClient(verify=False) as client:  # noqa: S501 (as above)
        assert (await client.get(f"https://127.0.0.1:{ready['https_port']}/info")).status_code == 502
    assert json.loads(ledger.read_text())["values"]["status"] == 502


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--profile", "firmware-9"), "no gateway profile 'firmware-9'"),
        (("--fault", "meteor"), "no fault 'meteor'"),
        (("--speed", "0"), "speed must be above 0"),
        (("--house", "castle"), "no house 'castle'"),
        (("--counters-start", "0"), "days from this house's start"),
    ],
)
async def test_a_wrong_option_is_named_with_what_there_is(arguments, message):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "run", *arguments),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1", "TERM": "dumb"},
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert message in errors.decode()


async def test_a_port_that_is_taken_is_said_in_one_line():
    async with Simulator(clock=make_clock()) as sim:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "run", "--https-port", str(sim.https_port)),
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().startswith("The simulator cannot start: ")


async def test_the_command_lists_its_faults():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "faults", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert len(output.splitlines()) == len(KINDS)


async def test_the_control_port_throws_switches_and_reads_the_ledger():
    async with (
        Simulator("firmware-8", clock=make_clock()) as sim,
        open_reader(sim) as gateway,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{sim.control_port}") as control,
    ):
        state = (await control.get("/state")).json()
        assert (state["serial"], state["fingerprint"]) == (sim.serial, sim.fingerprint)
        thrown = await control.post("/faults", json={"name": "html", "path": "/api/"})
        assert thrown.json()["active"]["html"]["path"] == "/api/"
        assert (await gateway.get("/api/v1/production")).text.startswith("<!DOCTYPE")
        await control.post("/faults", json={"name": "html", "on": False})
        await gateway.get("/api/v1/production/inverters")
        entries = (await control.get("/ledger", params={"kind": "inverters"})).json()["entries"]
        assert [entry["kind"] for entry in entries] == ["inverters"]
        assert len(entries[0]["values"]) == 24


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"name": "meteor"}', 422), (b"{", 400), (b"[]", 400), (b'{"on": true}', 400)]
)
async def test_the_control_port_refuses_nonsense(body, status):
    async with Simulator(clock=make_clock()) as sim, httpx.AsyncClient() as control:
        reply = await control.post(f"http://127.0.0.1:{sim.control_port}/faults", content=body)
    assert reply.status_code == status
    assert reply.json()["error"]


async def test_a_restart_is_the_same_gateway(tmp_path: Path):
    """Certificate, tokens and lifetime counters go on where they were, even when the sun is moved back."""
    time = make_clock()
    async with Simulator("firmware-8", clock=time, late_morning=True, state_dir=tmp_path) as first:
        fingerprint, token = first.fingerprint, first.make_token()
        time.advance(3 * 3600)
        counters = first.device.read_counters()
    async with Simulator("firmware-8", clock=time, late_morning=True, state_dir=tmp_path) as second:
        assert second.fingerprint == fingerprint
        for meter, phases in second.device.read_counters().meters.items():
            for now, before in zip(phases, counters.meters[meter], strict=True):
                assert now.delivered_wh == pytest.approx(before.delivered_wh, abs=0.01)
                assert now.received_wh == pytest.approx(before.received_wh, abs=0.01)
        async with open_reader(second, None) as client:
            checked = await client.get("/auth/check_jwt", headers={"Authorization": f"Bearer {token}"})
        assert checked.status_code == 200


async def test_a_kill_never_lets_a_counter_step_back(tmp_path: Path):
    """What is kept while it runs is a little ahead of what was shown."""
    time = make_clock()
    async with Simulator("firmware-8", clock=time, late_morning=True, state_dir=tmp_path) as first:
        file = tmp_path / f"{first.serial}-three-phase-counters.json"
        while not file.exists():  # noqa: ASYNC110 (a file has no event to wait for)
            await asyncio.sleep(0)
        as_killed = file.read_bytes()
        time.advance(30)
        shown = first.device.read_counters()
    file.write_bytes(as_killed)
    async with Simulator("firmware-8", clock=time, late_morning=True, state_dir=tmp_path) as second:
        now = second.device.read_counters()
    for meter, phases in shown.meters.items():
        assert all(late >= early for late, early in zip(now.meters[meter], phases, strict=True))
    assert all(late >= early for late, early in zip(now.panels_wh, shown.panels_wh, strict=True))


async def test_secrets_of_the_state_folder_are_the_owners_alone(tmp_path: Path):
    folder = tmp_path / "state"
    async with Simulator("firmware-8", clock=make_clock(), state_dir=folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        keys = [*folder.glob("*key.pem")]
        assert len(keys) == 2
        assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys)


async def test_what_was_asked_is_in_the_ledger_without_any_secret():
    async with Simulator("firmware-8", clock=make_clock()) as sim:
        async with open_reader(sim) as client:
            await client.get("/ivp/meters")
        (request,) = sim.ledger.list_kind("request")
        assert request.values == {"method": "GET", "path": "/ivp/meters", "status": 200, "login": "owner"}


def test_a_ledger_with_a_limit_keeps_the_newest_and_their_numbers(tmp_path: Path):
    """The file still has everything."""
    file = tmp_path / "ledger.jsonl"
    with Ledger(file, keep=2) as ledger:
        for power in (1, 2, 3):
            ledger.record("stream", {"p": power}, time=0.0)
        assert [(entry.number, entry.values["p"]) for entry in ledger] == [(1, 2), (2, 3)]
    assert len(file.read_text().splitlines()) == 3

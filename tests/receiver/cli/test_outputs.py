"""`envoy-receiver outputs`: what cannot be done is refused in a sentence, and nothing is left for the service."""

import asyncio
import contextlib
import os
import sqlite3

import pytest
from typer.testing import CliRunner

from receiver.cli import app
from receiver.outputs.progress import OutputProgress
from receiver.outputs.progress_file import FILE, ProgressFile
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite.store import SqliteStore
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, OTHER, make_meter

OLD = "122300009999"
"""Only the broker's output remembers it."""
UNKNOWN = "122300001243"


@pytest.fixture(autouse=True)
async def state(tmp_path, monkeypatch):
    """A receiver with a mirror and a broker, whose store knows two gateways; the mirror gets one of them."""
    for name in [name for name in os.environ if name.startswith("RECEIVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for name, value in {
        "STATE_DIR": state,
        "STORE": f"sqlite:///{state / 'readings.sqlite'}",
        "MQTT_URL": "mqtt://127.0.0.1:1",
        "LINES_URL": "http://127.0.0.1:1",
        "LINES_DIALECT": "influxdb1",
    }.items():
        monkeypatch.setenv(f"RECEIVER_{name}", str(value))
    store = SqliteStore(state / "readings.sqlite")
    await store.open()
    await store.write([GatewayReading(gateway, make_meter()) for gateway in (GATEWAY, OTHER)])
    await store.close()
    file = ProgressFile(state / FILE)
    await file.keep("lines", [OutputProgress(GATEWAY, NOW_MS)])
    await file.keep("mqtt", [OutputProgress(OLD, NOW_MS)])
    await file.close()
    return state


async def call(state, *arguments):
    """The command's exit status, what it said, and the wishes that it left."""
    result = await asyncio.to_thread(CliRunner().invoke, app, ["outputs", *arguments])
    assert "Traceback" not in result.output
    with contextlib.closing(sqlite3.connect(state / FILE)) as file:
        wishes = file.execute("SELECT output, gateway, since FROM wish").fetchall()
    return result.exit_code, " ".join(result.output.split()), wishes


async def test_a_serial_that_nobody_knows_is_not_forgotten(state):
    status, said, wishes = await call(state, "forget", UNKNOWN)
    assert (status, wishes) == (1, [])
    assert said == (
        f"envoy-receiver: no output and no store here knows a gateway {UNKNOWN}; known are: {GATEWAY}, {OTHER}, {OLD}"
    )


@pytest.mark.parametrize("gateway", [OTHER, OLD])
async def test_a_serial_that_the_store_or_an_output_knows_is_forgotten(state, gateway):
    status, _, wishes = await call(state, "forget", gateway)
    assert (status, wishes) == (0, [("mqtt", gateway, None)])


async def test_without_a_broker_there_is_nothing_to_forget(state, monkeypatch):
    monkeypatch.delenv("RECEIVER_MQTT_URL")
    status, said, wishes = await call(state, "forget", GATEWAY)
    assert (status, wishes) == (1, [])
    assert "no broker is set up here (RECEIVER_MQTT_URL)" in said
    assert "SERIAL must be a serial number" in (await call(state, "forget", "the roof"))[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lines", "--since", "yesterday"), "--since must be a day or a time like 2026-06-01"),
        (("lines", "--since", "2026-06-31"), "--since must be a day or a time like 2026-06-01"),
        (("lines", "--since", "2199-01-01"), "--since must be a time of the past, from 2000 on"),
        (("lines", "--since", "0001-01-01T00:00+23:59"), "--since must be a time of the past, from 2000 on"),
        (("lines", "--since", "9999-12-31T23:59-23:59"), "--since must be a time of the past, from 2000 on"),
        (("line", "--since", "2026-06-01"), "no output 'line' is set up here; these send again: lines"),
        (("emoncms", "--since", "2026-06-01"), "no output 'emoncms' is set up here; these send again: lines"),
        (("mqtt", "--since", "2026-06-01"), "mqtt has only the newest of everything"),
        (
            ("lines", "--since", "2026-06-01", "--gateway", UNKNOWN),
            f"the output lines knows no gateway {UNKNOWN}; it knows {GATEWAY}",
        ),
    ],
)
async def test_what_cannot_be_sent_again_is_refused(state, arguments, sentence):
    status, said, wishes = await call(state, "resend", *arguments)
    assert (status, wishes) == (1, [])
    assert sentence in said


async def test_an_output_that_never_ran_has_nothing_to_send_again(state):
    with contextlib.closing(sqlite3.connect(state / FILE)) as file:
        file.execute("DELETE FROM progress")
        file.commit()
    status, said, wishes = await call(state, "resend", "lines", "--since", "2026-06-01")
    assert (status, wishes) == (1, [])
    assert "the output lines has not run here yet" in said


async def test_a_time_without_a_zone_is_of_utc(state):
    for since in ("2026-06-01", "2026-06-01T02:00+02:00"):
        assert (await call(state, "resend", "lines", "--since", since, "--gateway", GATEWAY))[0] == 0
    _, said, wishes = await call(state, "resend", "lines", "--since", "2026-06-01T00:00:00Z")
    assert "noted" in said
    assert wishes == [("lines", GATEWAY, 1780272000000)] * 2 + [("lines", "", 1780272000000)]

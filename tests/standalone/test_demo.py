"""The demo for real: simulator, receiver, scraper and history in processes of their own, started and stopped."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import urllib.request
from itertools import pairwise

import pytest

from tests.standalone.commands import DEADLINE_S, list_descendants, list_living, run_standalone, wait_until

DAYS = "0.5"


def _read_stored(text: str) -> int:
    return int(re.findall(r"stored ([\d,]+)", text)[-1].replace(",", ""))


@pytest.mark.slow
def test_the_demo_fills_its_store_and_stops_without_a_trace(tmp_path):
    """Live values and history arrive, both links to the page work, and after Ctrl-C no process is left."""
    with run_standalone(tmp_path, "demo", "--state", str(tmp_path / "demo"), "--days", DAYS) as command:
        command.wait_for(r"inverters 20 of 20.*history 100%")
        command.wait_for(r"production [\d.]+ k?W, load [\d.]+ k?W, grid (im|ex)porting")
        below = list_descendants(command.process.pid)
        assert len(below) >= 4, below  # simulator, receiver, scraper and the guard
        links = {
            name: re.search(rf"^{name}: (.+)$", command.text, re.MULTILINE)
            for name in ("the page", "another link to it", "API")
        }
        page, shell, api = (found[1] for found in links.values() if found)
        another = subprocess.run(shell, shell=True, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S602 (what a person pastes)
        address, _, token = another.partition("#t=")
        assert page.partition("#t=")[0] == address, "both open the same page"
        assert b"<html" in urllib.request.urlopen(address, timeout=10).read()  # noqa: S310
        assert token != page.partition("#t=")[2]
        request = urllib.request.Request(api, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        meters = json.load(urllib.request.urlopen(request, timeout=10))  # noqa: S310
        assert {(one["meter"], one["phase"]) for one in meters} >= {("production", "a"), ("net-consumption", "c")}
        assert command.end(signal.SIGINT) == 0
        assert "stopped" in command.text
        assert list_living(below) == {}
        assert command.errors == ""
    assert _read_stored(command.text) > 10_000
    written = [path for path in (tmp_path / "demo").rglob("*") if path.is_file()]
    assert [path for path in written if path.stat().st_mode & 0o077] == [], "whatever the demo writes is private"
    logs = "".join(path.read_text() for path in (tmp_path / "demo" / "logs").iterdir())
    assert "eyJ" not in logs
    assert '"level": "error"' not in logs
    assert "interleav" not in logs  # the history must not look like a second scraper


@pytest.mark.slow
def test_history_joins_the_live_data_without_a_seam(tmp_path):
    """One unbroken chain of meter points and counters from the oldest simulated hour to now."""
    state = tmp_path / "demo"
    with run_standalone(tmp_path, "demo", "--state", str(state), "--days", "0.25") as command:
        command.wait_for(r"inverters 20 of 20.*history 100%")
        command.wait_for(r"load [\d.]+ k?W")
        assert command.end(signal.SIGTERM) == 0
    with sqlite3.connect(state / "receiver" / "readings.sqlite") as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert "meter" in tables
        times = [t for (t,) in store.execute("SELECT DISTINCT timestamp FROM meter ORDER BY timestamp")]
        falls = store.execute(
            "SELECT count(*) FROM (SELECT delivered - lag(delivered) OVER (PARTITION BY series ORDER BY timestamp) AS d "
            "FROM meter_energy) WHERE d < 0"
        ).fetchone()
    assert max(after - before for before, after in pairwise(times)) <= 120_000
    assert times[-1] - times[0] >= 6 * 3_600_000
    assert falls == (0,)


@pytest.mark.slow
def test_a_part_that_dies_ends_the_demo_and_is_named(tmp_path):
    """The scraper is killed: exit status 1, its name and how it ended on standard error, nobody left."""
    with run_standalone(tmp_path, "demo", "--state", str(tmp_path / "demo"), "--days", "0") as command:
        command.wait_for(r"inverters 20 of 20")
        below = list_descendants(command.process.pid)
        (scraper,) = [pid for pid, args in below.items() if "-m scraper run" in args]
        os.kill(scraper, signal.SIGKILL)
        assert command.process.wait(DEADLINE_S) == 1
        assert "the scraper was ended by signal 9" in command.errors
        assert list_living(below) == {}


@pytest.mark.slow
def test_a_killed_supervisor_leaves_no_orphan(tmp_path):
    """SIGKILL gives the supervisor no chance: the guard ends the parts."""
    with run_standalone(tmp_path, "demo", "--state", str(tmp_path / "demo"), "--days", "0") as command:
        command.wait_for(r"inverters 20 of 20")
        below = list_descendants(command.process.pid)
        assert command.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not list_living(below), lambda: f"left: {list_living(below)}", lambda: True)


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait(tmp_path):
    """The simulator is stopped (as by a debugger), so it cannot end politely: the second signal kills it."""
    with run_standalone(tmp_path, "demo", "--state", str(tmp_path / "demo"), "--days", "0") as command:
        command.wait_for(r"inverters 20 of 20")
        below = list_descendants(command.process.pid)
        (simulator,) = [pid for pid, args in below.items() if "-m simulator run" in args]
        (scraper,) = [pid for pid, args in below.items() if "-m scraper run" in args]
        os.kill(simulator, signal.SIGSTOP)
        command.process.send_signal(signal.SIGINT)
        wait_until(lambda: not list_living({scraper: below[scraper]}), lambda: "the scraper goes on", lambda: True)
        assert command.end(signal.SIGINT) == 0
        assert list_living(below) == {}


def test_a_directory_with_other_things_is_not_emptied(tmp_path):
    """The demo removes an earlier demo only, never a person's files."""
    precious = tmp_path / "photos"
    precious.mkdir()
    (precious / "cat.jpg").write_bytes(b"meow")
    with run_standalone(tmp_path, "demo", "--state", str(precious)) as command:
        assert command.process.wait(DEADLINE_S) == 1
        assert "holds other things than a demo" in command.errors
    assert (precious / "cat.jpg").read_bytes() == b"meow"

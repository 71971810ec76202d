"""A bucket of envoy-scrape comes into the store: real files, real stores, real processes."""

import asyncio
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from receiver import settings
from receiver.cli import app
from receiver.ingest.journal import Journal
from receiver.rollups.job import JOURNAL_FILE
from receiver.stores.base import GatewayReading, Point
from receiver.stores.choose import make_store
from shared.readings import Reading
from shared.units import MINUTE_MS, QUARTER_MS
from tests.receiver.service import GATEWAY, OTHER, SECRET

PANEL = "482100000001"
START_MS = 1_590_001_200_000


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A receiver of this test's own; returns its state directory."""
    for name in [name for name in os.environ if name.startswith("RECEIVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RECEIVER_PORT", "0")
    monkeypatch.setenv("RECEIVER_STATUS_PORT", "0")
    monkeypatch.setenv("RECEIVER_SECRET", SECRET.decode())
    monkeypatch.setenv("RECEIVER_GATEWAYS", GATEWAY)
    return tmp_path / "state"


def make_line(number: int, *, gateway: str = GATEWAY, fields: str = "maxPower=290i,power=120i") -> str:
    stamp = (START_MS + 5 * MINUTE_MS * number) * 1_000_000
    return f"inverterPower,envoySerial={gateway},serial={PANEL},type=1 {fields} {stamp}\n"


def import_file(path: Path, *options: str, fails: bool = False) -> Result:
    result = CliRunner().invoke(app, ["import", "envoy-scrape", str(path), "--gateway", GATEWAY, *options])
    assert "Traceback" not in result.output
    assert bool(result.exit_code) == fails, result.output
    return result


def write_file(*lines: str) -> Path:
    path = Path("export.lp")
    path.write_text("".join(lines))
    return path


async def _read(kind: str) -> list[Point]:
    store = make_store(settings.load())
    try:
        found = await store.read_points(GATEWAY, kind, start=0, stop=2 * START_MS)
        return [point for one in found for point in one.points]
    finally:
        await store.close()


def read_points() -> list[Point]:
    return asyncio.run(_read("inverter"))


async def _measure(reading: Reading) -> None:
    store = make_store(settings.load())
    await store.open()
    assert await store.write([GatewayReading(GATEWAY, reading)]) == {}
    await store.close()


def format_time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def test_a_bucket_comes_one_to_one_and_again_changes_nothing():
    path = write_file(*map(make_line, range(3)))
    told = import_file(path).output.splitlines()
    assert told[:2] == [
        "3 rows read, 3 written",
        f"from {format_time(START_MS)} to {format_time(START_MS + 10 * MINUTE_MS)}",
    ]
    expected = [Point(START_MS + n * 5 * MINUTE_MS, {"power": 120.0, "max_power": 290.0}) for n in range(3)]
    assert read_points() == expected
    assert import_file(path).output.splitlines() == ["3 rows read, 0 written", "3 skipped: already stored"]
    assert read_points() == expected


def test_an_export_that_has_each_field_in_a_line_of_its_own_packed_by_gzip():
    """As `influxd inspect export-lp --compress` writes it."""
    lines = [make_line(n, fields="maxPower=290i") for n in range(3)] + [make_line(n, fields="power=7i") for n in (0, 2)]
    path = Path("export.lp.gz")
    path.write_bytes(gzip.compress("".join(lines).encode()))
    assert "5 rows read, 5 written" in import_file(path).output
    assert [point.fields.get("power") for point in read_points()] == [7.0, None, 7.0]


def test_what_was_measured_stays():
    measured = Reading("inverter", {"inverter": PANEL}, START_MS, {"power": 55.0, "max_power": 300.0})
    asyncio.run(_measure(measured))
    told = import_file(write_file(make_line(0), make_line(1))).output
    assert "2 rows read, 1 written" in told
    assert "1 skipped: another value was measured for that time, and stays" in told
    assert read_points()[0].fields == measured.fields


def test_what_is_skipped_is_told_with_its_reason():
    stamp = START_MS * 1_000_000
    tags = f"inverterPower,envoySerial={GATEWAY},serial={PANEL}"
    path = write_file(
        "# a comment\n\n",
        make_line(0, gateway=OTHER),
        make_line(1, fields='power="much"'),
        make_line(2, fields="power=99999999999i"),
        "meter,gateway=1 power=1 1\n",
        f"{tags},type=12 power=1i {stamp}\n",
        f"{tags},type=1 power=1i\n",
        f"{tags},type=1 power=1i 0\n",
        f"{tags},type=1 power=1i {stamp + 1_000_000}\n",
        f"{tags},type=1 other=1i {stamp}\n",
        f"inverterPower,envoySerial={GATEWAY},serial=a/b power=1i {stamp}\n",
        "no lines here\n",
    )
    assert import_file(path).output.splitlines() == [
        "11 rows read, 0 written",
        "2 skipped: a power that is none (first in line 4)",
        "1 skipped: a time before 2000 or in the future (first in line 9)",
        "1 skipped: a time that is no whole second, which reports of inverters have (first in line 10)",
        "1 skipped: another measurement than inverterPower (first in line 6)",
        "1 skipped: no line protocol (first in line 13)",
        "1 skipped: no power (first in line 11)",
        "1 skipped: no serial number of an inverter (first in line 12)",
        "1 skipped: no time (first in line 8)",
        "1 skipped: of a device that is no inverter (first in line 7)",
        f"1 skipped: of another gateway than {GATEWAY} (first in line 3)",
    ]
    assert read_points() == []


def test_a_dry_run_says_the_same_and_writes_nothing():
    import_file(write_file(make_line(0)))
    assert "2 rows read, 1 would be written" in import_file(write_file(make_line(0), make_line(1)), "--dry-run").output
    assert len(read_points()) == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x1f\x8bno gzip", b"x" * 100_000, None])
def test_a_file_that_is_none_is_a_sentence(content: bytes | None):
    path = Path("export.lp")
    if content is not None:
        path.write_bytes(content)
    assert import_file(path, fails=True).output.startswith("envoy-receiver: export.lp")


def test_its_quarter_hours_are_marked_for_the_roll_ups(state: Path):
    import_file(write_file(make_line(0), make_line(4)))

    async def load() -> set[tuple[str, int]]:
        journal = Journal(state / JOURNAL_FILE)
        try:
            return (await journal.load()).dirty
        finally:
            await journal.close()

    first = START_MS // QUARTER_MS * QUARTER_MS
    assert asyncio.run(load()) == {(GATEWAY, first), (GATEWAY, first + QUARTER_MS)}


def test_many_rows_are_taken_piece_by_piece(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("receiver.imports.work._ROWS_AT_ONCE", 7)
    path = write_file(*map(make_line, range(100)), *map(make_line, range(50)))
    told = import_file(path).output
    assert "150 rows read, 100 written" in told
    assert "50 skipped: already stored" in told
    assert len(read_points()) == 100


def test_an_import_that_was_killed_goes_on_with_the_same_command(state: Path):
    path = write_file(*map(make_line, range(40_000)))
    arguments = ["import", "envoy-scrape", str(path), "--gateway", GATEWAY]
    process = subprocess.Popen([sys.executable, "-m", "receiver", *arguments], stdout=subprocess.DEVNULL)
    while process.poll() is None and not ((state / "readings.sqlite").exists() and read_points()):
        pass
    process.kill()
    process.wait()
    before = len(read_points())
    assert before
    told = import_file(path).output
    assert f"40000 rows read, {40_000 - before} written" in told
    assert len(read_points()) == 40_000


@pytest.fixture
def running() -> Iterator["subprocess.Popen[str]"]:
    """A receiver as a process of its own, which listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver", "run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert any("receiving" in line for line in process.stdout)
    yield process
    process.kill()
    process.communicate()


def test_beside_a_running_receiver_nothing_is_imported_and_after_its_kill_all(running: "subprocess.Popen[str]"):
    path = write_file(make_line(0))
    assert "the receiver is running" in import_file(path, fails=True).output
    assert "1 would be written" in import_file(path, "--dry-run").output
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert "1 rows read, 1 written" in import_file(path).output

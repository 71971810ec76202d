"""Reports of years: killed in the middle, and read without holding them."""

import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from receiver.imports.enlighten_file import LocalZone, read_report
from shared.readings import Reading
from shared.units import DAY_MS
from tests.clocks import NOW_MS
from tests.receiver.imports.receiving import read_stored, run_import
from tests.receiver.service import GATEWAY

HEADER = "Date/Time,Energy Produced (Wh),Energy Consumed (Wh),Exported to Grid (Wh),Imported from Grid (Wh)\n"
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
OPTIONS = ("--time-zone", "UTC")
LATE_MS = 2_000_000_000_000


def write_report(rows: int, step: timedelta) -> Path:
    path = Path("report.csv")
    with path.open("w") as file:
        file.write(HEADER)
        for number in range(rows):
            file.write(f"{BEGIN + step * number:%m/%d/%Y %H:%M},{number % 997},{number % 499},1,2\n")
    return path


@pytest.mark.usefixtures("chosen_state")
@pytest.mark.parametrize("chosen_state", ["sqlite"], indirect=True)
def test_an_import_that_was_killed_ends_the_same_after_a_second_run(chosen_state: Path):
    path = write_report(12_000, timedelta(minutes=15))
    arguments = ["import", "enlighten", str(path), "--gateway", GATEWAY, *OPTIONS]
    process = subprocess.Popen([sys.executable, "-m", "receiver", *arguments], stdout=subprocess.DEVNULL)
    while process.poll() is None and not (
        (chosen_state / "readings.sqlite").exists() and read_stored("imported_energy", 0, LATE_MS)
    ):
        pass
    process.kill()
    process.wait()
    before = len(read_stored("imported_energy", 0, LATE_MS))
    assert before
    told = run_import("enlighten", str(path), *OPTIONS).output
    assert f"12000 rows read, {12_000 - before} written" in told
    stored = read_stored("imported_energy", 0, LATE_MS)
    assert [point.fields["production"] for point in stored] == [float(number % 997) for number in range(12_000)]


def test_a_report_is_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = write_report(30_000, timedelta(minutes=15))
    size = path.stat().st_size
    tracemalloc.start()
    try:
        zone = LocalZone(ZoneInfo("UTC"), "a test")
        rows = read_report(path, zone=zone, order=None, now_ms=NOW_MS + 1000 * DAY_MS).rows
        assert sum(isinstance(row, Reading) for row in rows) == 30_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 3

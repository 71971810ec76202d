"""Imported energies are taken back, and all that roll-ups had of them: real stores, real processes, SIGKILL."""

import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.sites.model import Site
from receiver.stores.base import Point
from receiver.stores.kinds import ENERGY_KINDS
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.imports.receiving import (
    read_stored,
    roll_up,
    run_import,
    run_receiver_process,
    store_measured,
    write_through_journal,
)
from tests.receiver.service import GATEWAY

SITE = Site(time_zone="UTC")
DAY = 1_715_558_400_000  # 2024-05-13 in UTC
LATE_MS = DAY + 4000 * DAY_MS
HEADER = "Date/Time,Energy Produced (Wh),Energy Consumed (Wh)"
FORGET = ["import", "enlighten", "--forget", "--gateway", GATEWAY]
pytestmark = pytest.mark.usefixtures("chosen_state")


def write_hours(days: Iterable[int] = (0,), hours: Iterable[int] = range(10, 14)) -> str:
    """A report of some hours of days after DAY: each makes 100 Wh."""
    begins = [
        datetime.fromtimestamp((DAY + day * DAY_MS + hour * HOUR_MS) / 1000, UTC) for day in days for hour in hours
    ]
    Path("report.csv").write_text("\n".join([HEADER, *(f"{begin:%Y-%m-%d %H:%M},100,200" for begin in begins)]) + "\n")
    return "report.csv"


def make_reports(start: int) -> list[Reading]:
    return [
        Reading("inverter", {"inverter": "482100000001"}, time, {"power": 400.0, "interval": 300.0})
        for time in range(start + 5 * MINUTE_MS, start + QUARTER_MS + 1, 5 * MINUTE_MS)
    ]


def read_energies() -> dict[str, list[Point]]:
    """All stored windows of energy, by kind."""
    return {kind: read_stored(kind, 0, LATE_MS) for kind in ENERGY_KINDS}


def test_what_was_imported_goes_with_its_energies_and_what_was_measured_stays(chosen_state: Path):
    store_measured(*make_reports(DAY + 12 * HOUR_MS))
    roll_up(chosen_state, SITE)
    measured = read_energies()
    told = run_import("enlighten", write_hours(), "--time-zone", "UTC").output
    assert "4 written" in told
    roll_up(chosen_state, SITE)
    assert read_stored("energy_1d", DAY, DAY + 1)[0].fields["production_taken_over"] == 300.0
    dry = run_import("enlighten", "--forget", "--dry-run").output
    assert f"4 imported energies of gateway {GATEWAY} would be removed" in dry
    assert len(read_stored("imported_energy", 0, LATE_MS)) == 4
    told = run_import("enlighten", "--forget").output
    assert f"4 imported energies of gateway {GATEWAY} removed" in told
    assert "they began from 2024-05-13 10:00:00 UTC to 2024-05-13 13:00:00 UTC" in told
    assert read_stored("imported_energy", 0, LATE_MS) == []
    assert read_energies() == measured, "at once, also of times that roll-ups would not visit again"
    roll_up(chosen_state, SITE)
    assert read_energies() == measured
    assert "no energies were imported" in run_import("enlighten", "--forget").output


def test_the_right_import_may_follow_a_wrong_one(chosen_state: Path):
    run_import("enlighten", write_hours(), "--time-zone", "Asia/Tokyo")
    run_import("enlighten", "--forget")
    assert "4 written" in run_import("enlighten", write_hours(), "--time-zone", "UTC").output
    roll_up(chosen_state, SITE)
    days = read_stored("energy_1d", 0, LATE_MS)
    assert [(day.timestamp, day.fields["production"]) for day in days] == [(DAY, 400.0)]
    hours = read_stored("energy_1h", 0, LATE_MS)
    assert [hour.timestamp for hour in hours] == [*range(DAY + 10 * HOUR_MS, DAY + 14 * HOUR_MS, HOUR_MS)]


def test_readings_that_expired_do_not_keep_an_import_in_their_quarter_hour(
    chosen_state: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where readings of meters are gone, stored quarter hours stay as they are: the imported part must go all the same."""
    monkeypatch.setenv("RECEIVER_METER_DAYS", "1")
    noon = DAY + 12 * HOUR_MS
    write_through_journal(chosen_state, make_reports(noon))
    rows = [f"2024-05-13 {hour:02}:{minute:02},30,60" for hour in (11, 12) for minute in (0, 15, 30, 45)]
    Path("report.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    run_import("enlighten", "report.csv", "--time-zone", "UTC")
    roll_up(chosen_state, SITE)
    both = read_stored("energy_15m", noon, noon + 1)[0].fields
    assert both["production"] == pytest.approx(100.0)
    assert both["load_taken_over"] == 60.0
    run_import("enlighten", "--forget")
    for _ in range(2):
        quarters = read_stored("energy_15m", DAY, DAY + DAY_MS)
        assert [point.timestamp for point in quarters] == [noon]
        assert quarters[0].fields["production"] == pytest.approx(100.0)
        assert not {name for name in quarters[0].fields if "taken_over" in name or name == "load"}
        roll_up(chosen_state, SITE)


def test_a_command_that_was_killed_goes_on_and_a_receiver_in_between_hides_nothing(chosen_state: Path):
    run_import("enlighten", write_hours(range(0, 66, 11), (10, 11)), "--time-zone", "UTC")
    roll_up(chosen_state, SITE)
    process = subprocess.Popen([sys.executable, "-m", "receiver", *FORGET], stdout=subprocess.DEVNULL)
    while process.poll() is None and len(read_stored("energy_1d", 0, LATE_MS)) == 6:
        pass
    process.kill()
    process.wait()
    roll_up(chosen_state, SITE)
    left = len(read_stored("imported_energy", 0, LATE_MS))
    produced = sum(float(day.fields["production"]) for day in read_stored("energy_1d", 0, LATE_MS))
    assert produced == pytest.approx(100.0 * left), "what is stored counts, and nothing else does"
    run_import("enlighten", "--forget")
    assert read_stored("imported_energy", 0, LATE_MS) == []
    assert not any(read_energies().values())


def test_beside_a_running_receiver_nothing_is_removed():
    run_import("enlighten", write_hours(), "--time-zone", "UTC")
    with run_receiver_process():
        assert "the receiver is running" in run_import("enlighten", "--forget", fails=True).output
        assert "would be removed" in run_import("enlighten", "--forget", "--dry-run").output
    assert len(read_stored("imported_energy", 0, LATE_MS)) == 4


def test_readings_of_other_formats_cannot_be_told_from_measured_ones():
    assert "--forget is for enlighten" in run_import("envoy-scrape", "--forget", fails=True).output
    assert "--forget takes no FILE" in run_import("enlighten", write_hours(), "--forget", fails=True).output
    assert "FILE is missing" in run_import("enlighten", fails=True).output

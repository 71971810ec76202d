"""An import says in which zone and order it read times, asks where nobody has said it, and knows the gateways."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from receiver.cli import app
from shared.readings import Reading
from tests.receiver.imports.receiving import read_stored, run_import, store_measured
from tests.receiver.service import GATEWAY

UNKNOWN = "999999999999"
HEADER = "Date/Time,Energy Produced (Wh)"
LATE_MS = 2_000_000_000_000
pytestmark = pytest.mark.usefixtures("chosen_state")


def write_report(*times: str) -> str:
    Path("report.csv").write_text("\n".join([HEADER, *(f"{time},5" for time in times)]) + "\n")
    return "report.csv"


def write_hours() -> str:
    return write_report(*(f"05/13/2024 {hour:02}:00" for hour in range(24)))


def test_a_zone_that_nobody_has_said_is_asked_for_and_nothing_is_written():
    for options in ([], ["--dry-run"]):
        told = run_import("enlighten", write_hours(), *options, fails=True).output
        assert "report.csv: its times are local ones, and neither the sites file nor the gateway says" in told
        assert "add --time-zone" in told
    assert read_stored("imported_energy", 0, LATE_MS) == []


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_every_summary_says_zone_and_order_and_who_said_them(options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    told = run_import("enlighten", write_hours(), "--time-zone", "Asia/Tokyo", "--dry-run").output
    assert "read as local times of Asia/Tokyo (--time-zone), dates with the month first" in told
    store_measured(Reading("gateway", {}, 1_715_000_000_000, {"time_zone": "Europe/Paris"}))
    told = run_import("enlighten", write_hours(), *options).output
    assert "read as local times of Europe/Paris (as the gateway says), dates with the month first" in told
    Path("sites.yaml").write_text(f'"{GATEWAY}":\n  time_zone: Europe/Rome\n')
    monkeypatch.setenv("RECEIVER_SITES_FILE", str(Path("sites.yaml").resolve()))
    told = run_import("enlighten", write_report("2024-05-13 10:00", "2024-05-13 11:00"), *options).output
    assert "read as local times of Europe/Rome (the sites file)\n" in told


def test_times_with_offsets_need_no_zone_except_days_which_end_by_a_clock():
    hours = [f"2024-05-13 {hour:02}:00:00 +0200" for hour in range(4)]
    assert "read as times with offsets\n" in run_import("enlighten", write_report(*hours), "--dry-run").output
    days = [f"2024-05-{day} 00:00:00 +0200" for day in (13, 14, 15)]
    assert "add --time-zone" in run_import("enlighten", write_report(*days), fails=True).output


def test_a_gateway_of_which_nothing_is_known_is_refused(monkeypatch: pytest.MonkeyPatch):
    arguments = ["import", "enlighten", write_hours(), "--time-zone", "UTC", "--gateway", UNKNOWN]
    for options in (["--dry-run"], []):
        refused = CliRunner().invoke(app, [*arguments, *options])
        assert refused.exit_code == 1
        assert f"no gateway {UNKNOWN} is known here: check --gateway" in refused.output
    assert read_stored("imported_energy", 0, LATE_MS, gateway=UNKNOWN) == []
    monkeypatch.setenv("RECEIVER_GATEWAYS", f"{GATEWAY},{UNKNOWN}")
    assert CliRunner().invoke(app, arguments).exit_code == 0
    monkeypatch.setenv("RECEIVER_GATEWAYS", GATEWAY)
    assert "24 skipped: already stored" in CliRunner().invoke(app, arguments).output, "what is stored is known"


def test_a_dry_run_before_the_first_start_says_what_would_be_done(chosen_state: Path):
    rows = ["05/13/2024 00:00", "05/13/2024 01:00", "05/13/2024 01:00", "much", "05/13/2024 02:00"]
    told = run_import("enlighten", write_report(*rows), "--time-zone", "UTC", "--dry-run").output
    assert told.splitlines()[0] == "5 rows read, 3 would be written"
    assert "1 skipped: a window that overlaps another one" in told
    assert "1 skipped: no time in column Date/Time" in told
    if "INFLUXDB_V2_URL" not in os.environ:
        assert not chosen_state.exists()


def test_a_place_that_is_no_regular_file_is_refused_at_once():
    os.mkfifo("pipe")
    for form in ("enlighten", "envoy-scrape"):
        for place in ("pipe", "."):
            told = run_import(form, place, "--time-zone", "UTC", fails=True).output
            assert f"{place} is no regular file: give the path of the exported file" in told

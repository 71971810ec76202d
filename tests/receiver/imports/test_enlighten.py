"""Reports of Enlighten become energies of the past: real files, real stores, and the roll-ups of what was imported."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from receiver import settings
from receiver.calendar.local import to_ms
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.readings import FieldValue, Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver import service
from tests.receiver.imports.receiving import (
    read_stored,
    roll_up,
    run_import,
    store_measured,
    write_through_journal,
)

BERLIN = Site(time_zone="Europe/Berlin")
HEADER = "Date/Time,Energy Produced (Wh),Energy Consumed (Wh),Exported to Grid (Wh),Imported from Grid (Wh)"
pytestmark = pytest.mark.usefixtures("chosen_state")


def find_time(text: str, *, fold: int = 0, zone: str = "Europe/Berlin") -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold))


def import_report(*lines: str, options: tuple[str, ...] = ("--time-zone", "Europe/Berlin"), fails: bool = False) -> str:
    Path("report.csv").write_text("\n".join(lines) + "\n")
    return run_import("enlighten", "report.csv", *options, fails=fails).output


def read_windows() -> list[Point]:
    return read_stored("imported_energy", 0, find_time("2030-01-01"))


def read_fields(kind: str, text: str) -> Mapping[str, FieldValue]:
    """The one row of a kind that begins at a time of Berlin."""
    start = find_time(text)
    return read_stored(kind, start, start + 1)[0].fields


def write_hours(day: str, hours: list[int], *, order: str = "%m/%d/%Y %H:00") -> list[str]:
    """Rows of a day: the hour is in the energy."""
    date = datetime.fromisoformat(day)
    return [f"{date.replace(hour=hour).strftime(order)},{100 + hour},{200 + hour},10,{110}" for hour in hours]


def test_the_hour_that_stands_twice_is_two_hours_and_the_missing_one_is_none(chosen_state: Path):
    autumn = write_hours("2023-10-29", [0, 1, 2, 2, *range(3, 24)])
    spring = write_hours("2024-03-31", [0, 1, *range(3, 24)])
    told = import_report(HEADER, *autumn, *spring)
    assert "48 rows read, 48 written" in told
    starts = [point.timestamp for point in read_windows()]
    assert starts == [
        *range(find_time("2023-10-29"), find_time("2023-10-30"), HOUR_MS),
        *range(find_time("2024-03-31"), find_time("2024-04-01"), HOUR_MS),
    ]
    assert len(starts) == 25 + 23
    roll_up(chosen_state, BERLIN)
    produced = sum(range(100, 124)) + 102
    day = read_fields("energy_1d", "2023-10-29")
    assert day["duration"] == 25 * 3600
    assert day["production"] == day["production_taken_over"] == pytest.approx(produced)
    assert day["production_coverage"] == 0.0
    assert day["self_sufficiency"] == pytest.approx(1 - 25 * 110 / (sum(range(200, 224)) + 202))
    assert read_fields("energy_1h", "2024-03-31T03:00")["production_taken_over"] == 103.0
    quarter = read_stored("energy_15m", find_time("2024-03-31T03:45"), find_time("2024-03-31T03:45") + 1)[0]
    assert "production" not in quarter.fields, "nobody knows in which quarter of the hour it flowed"


def test_a_row_in_the_hour_that_does_not_exist_is_skipped_with_its_line():
    told = import_report(HEADER, *write_hours("2024-03-31", [0, 1, 2, 3, 4]))
    assert "4 written" in told
    assert "1 skipped: a local time that the clock of Europe/Berlin skips in spring: see --time-zone" in told
    assert "(first in line 4)" in told


@pytest.mark.parametrize("order", ["%m/%d/%Y %H:00", "%d/%m/%Y %H:00", "%Y-%m-%d %H:00:00", "%m/%d/%Y %I:00 %p"])
def test_both_orders_of_dates_are_told_apart_by_the_rows_even_without_a_large_number(order: str):
    rows = [row for day in ("2024-05-06", "2024-05-07") for row in write_hours(day, [*range(24)], order=order)]
    assert "48 rows read, 48 written" in import_report(HEADER, *rows)
    assert [point.timestamp for point in read_windows()] == [
        *range(find_time("2024-05-06"), find_time("2024-05-08"), HOUR_MS)
    ]


def test_a_file_that_does_not_tell_its_order_asks_for_it():
    rows = write_hours("2024-05-06", [*range(24)])
    told = import_report(HEADER, *rows, fails=True)
    assert "report.csv: the dates of this file may have the month or the day first" in told
    assert "--dates month-first" in told
    assert "24 written" in import_report(
        HEADER, *rows, options=("--time-zone", "Europe/Berlin", "--dates", "month-first")
    )
    assert read_windows()[0].timestamp == find_time("2024-05-06")


def test_days_with_an_offset_units_thousands_and_a_line_of_totals(chosen_state: Path):
    told = import_report(
        "Date/Time,Energy Produced (kWh),Stored in batteries (Wh),Discharged from batteries (Wh),Other (Wh)",
        '2016-07-29 00:00:00 +0200,2.956,"1,489",N/A,5',
        "2016-07-30 00:00:00 +0200,9.468,,,5",
        '2016-07-31 00:00:00 +0200,12,"1,200",0,5',
        'Total,24.424,"2,689",0,15',
    )
    assert "3 rows read, 3 written" in told
    first = read_windows()[0]
    assert first == Point(find_time("2016-07-29"), {"production": 2956.0, "charged": 1489.0, "duration": DAY_MS / 1000})
    roll_up(chosen_state, BERLIN)
    month = read_fields("energy_1mo", "2016-07-01")
    assert month["production"] == pytest.approx(24424.0)
    assert month["charged"] == pytest.approx(2689.0)
    assert read_stored("energy_1h", find_time("2016-07-29T12:00"), find_time("2016-07-29T13:00")) == []


def test_quarter_hours_are_energies_of_their_quarter_hours(chosen_state: Path):
    rows = [f"07/{day}/2023 12:{minute:02},30,60,5,35" for day in (14, 15) for minute in (0, 15, 30, 45)]
    import_report(HEADER, *rows)
    roll_up(chosen_state, BERLIN)
    quarter = read_fields("energy_15m", "2023-07-14T12:15")
    assert quarter["production"] == quarter["production_taken_over"] == 30.0
    assert quarter["self_consumption"] == pytest.approx(1 - 5 / 30)


def test_what_is_no_energy_is_skipped_with_line_column_and_reason():
    told = import_report(
        HEADER,
        "01/13/2024 00:00,much,1,1,1",
        "01/13/2024 01:00,1,-4,1,1",
        "13/01/2024 02:00,1,1,1,1",
        "01/13/2024 03:00,,,,",
        "01/13/2024 04:00,1,1,1,1",
        "01/13/2024 05:00,1,1,1,1",
        "01/13/2090 05:00,1,1,1,1",
    )
    assert told.splitlines()[0] == "7 rows read, 2 written"
    assert "1 skipped: no number in column Energy Produced (Wh): use a point for decimals (first in line 2)" in told
    assert "1 skipped: an energy that is none in column Energy Consumed (Wh) (first in line 3)" in told
    assert "1 skipped: no time in column Date/Time with the month first (first in line 4)" in told
    assert "1 skipped: no energies (first in line 5)" in told
    assert "1 skipped: a time before 2000, or one that is not over yet (first in line 8)" in told


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["Datum,Erzeugte Energie (Wh)", "1,1"], "line 1 is no header of an Enlighten report"),
        (["Date/Time,Erzeugte Energie (Wh)", "1,1"], "set the language of the Enlighten page to English"),
        (["Date/Time,Energy Produced (kW)", "1,1"], "the unit is none of Wh, kWh and MWh"),
        ([HEADER], "the file has no row with a time"),
        ([HEADER, "01/13/2024 00:00,1,1,1,1", "01/13/2024 00:05,1,1,1,1"], "5 minutes apart: export a report of"),
        ([HEADER, "01/13/2024 00:00,1,1,1,1"], "export a longer report"),
    ],
)
def test_a_file_that_is_no_report_is_a_sentence_with_its_remedy(lines: list[str], why: str):
    assert why in import_report(*lines, fails=True)


def test_a_dry_run_says_what_would_be_done_and_writes_nothing():
    import_report(HEADER, *write_hours("2024-05-13", [*range(24)]))
    rows = write_hours("2024-05-13", [22, 23]) + write_hours("2024-05-14", [0])
    told = import_report(HEADER, *rows, options=("--time-zone", "Europe/Berlin", "--dry-run"))
    assert told.splitlines()[0] == "3 rows read, 1 would be written"
    assert "2 skipped: already stored" in told
    assert len(read_windows()) == 24


def test_a_second_import_and_a_finer_one_change_nothing(chosen_state: Path):
    rows = [row for day in ("2024-05-13", "2024-05-14") for row in write_hours(day, [*range(24)])]
    import_report(HEADER, *rows)
    roll_up(chosen_state, BERLIN)
    before = read_windows(), read_stored("energy_1d", 0, find_time("2030-01-01"))
    assert "48 skipped: already stored" in import_report(HEADER, *rows)
    days = ["05/13/2024,9999,9999,1,1", "05/14/2024,9999,9999,1,1"]
    assert "2 skipped: a window that overlaps another one that was imported" in import_report(HEADER, *days)
    changed = [row.replace(",10,", ",11,") for row in rows]
    assert "48 skipped: another energy was imported for that time before, and stays" in import_report(HEADER, *changed)
    roll_up(chosen_state, BERLIN)
    assert (read_windows(), read_stored("energy_1d", 0, find_time("2030-01-01"))) == before


def make_reports(start: int, stop: int) -> list[Reading]:
    return [
        Reading("inverter", {"inverter": "482100000001"}, time, {"power": 400.0, "interval": 300.0})
        for time in range(start + 5 * MINUTE_MS, stop + 1, 5 * MINUTE_MS)
    ]


def test_what_was_measured_stays_and_what_was_not_is_taken_beside_it(chosen_state: Path):
    """Panels alone were measured at noon: production of that hour stays, and the house's energies are taken."""
    noon = find_time("2024-05-13T12:00")
    store_measured(*make_reports(noon, noon + QUARTER_MS))
    roll_up(chosen_state, BERLIN)
    told = import_report(HEADER, *write_hours("2024-05-13", [*range(24)]))
    assert "24 written" in told
    assert "1 of them without production: measured in that time" in told
    roll_up(chosen_state, BERLIN)
    hour = read_fields("energy_1h", "2024-05-13T12:00")
    assert hour["production"] == pytest.approx(100.0)
    assert "production_taken_over" not in hour
    assert hour["load"] == hour["load_taken_over"] == 212.0
    assert "self_consumption" not in hour, "what was made was measured, what was sold was not"
    day = read_fields("energy_1d", "2024-05-13")
    assert day["production"] == pytest.approx(sum(range(100, 124)) - 112 + 100)
    assert day["production_taken_over"] == pytest.approx(sum(range(100, 124)) - 112)
    assert day["production_coverage"] == pytest.approx(1 / 96)


def test_readings_that_come_after_the_import_take_its_place(chosen_state: Path):
    import_report(HEADER, *write_hours("2024-05-13", [*range(24)]))
    roll_up(chosen_state, BERLIN)
    assert read_fields("energy_1h", "2024-05-13T12:00")["production"] == 112.0
    noon = find_time("2024-05-13T12:00")
    write_through_journal(chosen_state, make_reports(noon, noon + HOUR_MS))
    roll_up(chosen_state, BERLIN)
    hour = read_fields("energy_1h", "2024-05-13T12:00")
    assert hour["production"] == pytest.approx(400.0)
    assert hour["production_coverage"] == 1.0
    assert "production_taken_over" not in hour
    assert hour["load_taken_over"] == 212.0


def make_counters(time: int, delivered: float) -> list[Reading]:
    return [
        Reading("meter_energy", {"meter": "production", "phase": "a"}, time, {"delivered": delivered, "received": 0.0}),
        Reading("meter", {"meter": "production", "phase": "a"}, time, {"power": 3000.0}),
    ]


@pytest.mark.parametrize("is_later", [False, True])
def test_energy_that_a_counter_has_is_never_counted_twice(chosen_state: Path, is_later: bool):
    """The receiver ran for a day, and again months later: the step of its counter has the months between."""
    first, last = find_time("2024-01-10T12:00"), find_time("2024-06-20T12:05")
    before = make_counters(first, 1000.0) + make_counters(first + MINUTE_MS, 1050.0)
    after = make_counters(last, 900_000.0) + make_counters(last + MINUTE_MS, 900_050.0)
    rows = [row for day in ("2024-03-13", "2024-03-14") for row in write_hours(day, [*range(24)])]
    store_measured(*before, *([] if is_later else after))
    roll_up(chosen_state, BERLIN)
    told = import_report(HEADER, *rows)
    assert ("48 written" if is_later else "48 skipped: energies of a time in which they were measured") in told
    roll_up(chosen_state, BERLIN)
    if is_later:
        assert read_fields("energy_1mo", "2024-03-01")["production"] == pytest.approx(2 * sum(range(100, 124)))
        write_through_journal(chosen_state, after)
        roll_up(chosen_state, BERLIN)
    year = read_fields("energy_1y", "2024-01-01")
    assert year["production"] == pytest.approx(899_050.0)
    assert "production_taken_over" not in year
    assert read_stored("energy_1mo", find_time("2024-03-01"), find_time("2024-03-01") + 1) == []


async def _ask_energies(state: Path, query: str) -> list[dict[str, object]]:
    async with service.start(state, store=settings.load().store) as started:
        answer = await started.get(f"/api/v1/gateways/{service.GATEWAY}/energy?{query}&time_zone=Europe/Berlin")
    document = answer.json()
    return [*document["windows"], document["total"]]


def test_the_api_says_which_part_was_imported(chosen_state: Path):
    noon = find_time("2024-05-13T12:00")
    store_measured(*make_reports(noon, noon + QUARTER_MS))
    import_report(HEADER, *write_hours("2024-05-13", [*range(24)]))
    roll_up(chosen_state, BERLIN)
    day, total = asyncio.run(_ask_energies(chosen_state, "every=1d&start=2024-05-13&stop=2024-05-14"))
    imported = sum(range(100, 124)) - 112
    for window in (day, total):
        assert window["production_wh"] == pytest.approx(imported + 100)
        assert window["production_taken_over_wh"] == pytest.approx(imported)
        assert window["production_coverage"] == pytest.approx(1 / 96)
        assert window["load_wh"] == window["load_taken_over_wh"] == sum(range(200, 224))
        assert window["load_coverage"] == 0.0
        assert window["discharged_taken_over_wh"] is None
    hours = asyncio.run(_ask_energies(chosen_state, "every=1h&start=2024-05-13T12:00&stop=2024-05-13T14:00"))
    assert [hour["production_taken_over_wh"] for hour in hours] == [None, 113.0, 113.0]

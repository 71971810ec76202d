"""Roll-ups follow an import by themselves: real processes over real stores, killed and started again."""

from pathlib import Path

import pytest

from receiver.stores.base import Point
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.imports.receiving import read_stored, run_import, run_receiver_process, store_measured, wait_for
from tests.receiver.service import GATEWAY

PANEL = "482100000001"
DAY = 1_589_932_800_000 + 12 * DAY_MS
"""A midnight of UTC, which is that of a site without a time zone."""
NOON = DAY + 12 * HOUR_MS
REPORTS = 12
POWER_W = 120.0
pytestmark = pytest.mark.usefixtures("chosen_state")


def write_export(first: int) -> Path:
    """Five-minute reports of an hour as envoy-scrape's bucket has them."""
    path = Path("export.lp")
    path.write_text(
        "".join(
            f"inverterPower,envoySerial={GATEWAY},serial={PANEL},type=1 maxPower=290i,power={POWER_W:.0f}i "
            f"{(first + 5 * MINUTE_MS * number) * 1_000_000}\n"
            for number in range(1, REPORTS + 1)
        )
    )
    return path


def wait_for_hour(first: int) -> Point:
    """The energy of an hour once the running receiver has computed it, with all the panel's roll-ups beside it."""
    hours = wait_for(lambda: read_stored("energy_1h", first, first + HOUR_MS), bool)
    days = wait_for(lambda: read_stored("panel_1d", first - DAY_MS, first + DAY_MS), bool)
    assert days[0].fields["energy"] == pytest.approx(POWER_W)
    quarters = read_stored("panel_15m", first, first + HOUR_MS)
    assert [point.timestamp for point in quarters] == list(range(first, first + HOUR_MS, QUARTER_MS))
    return hours[0]


def test_after_an_import_into_an_empty_store_the_receiver_computes_its_energies():
    run_import("envoy-scrape", str(write_export(NOON)))
    with run_receiver_process():
        hour = wait_for_hour(NOON)
    assert hour.fields["production"] == pytest.approx(POWER_W)
    assert hour.fields["production_coverage"] == 1.0
    assert read_stored("energy_1d", DAY, DAY + DAY_MS)[0].fields["production"] == pytest.approx(POWER_W)


def test_a_receiver_that_had_rolled_up_all_its_history_computes_what_is_imported_later():
    """Years before its first reading, and the day before: neither is part of any history that still waits."""
    store_measured(Reading("inverter", {"inverter": PANEL}, NOON + 2 * DAY_MS, {"power": 50.0, "max_power": 290.0}))
    with run_receiver_process():
        wait_for(lambda: read_stored("panel_1d", DAY, NOON + 3 * DAY_MS), bool)
    for first in (NOON - 1_000 * DAY_MS, NOON):
        run_import("envoy-scrape", str(write_export(first)))
    with run_receiver_process():
        for first in (NOON - 1_000 * DAY_MS, NOON):
            assert wait_for_hour(first).fields["production"] == pytest.approx(POWER_W)


def test_while_the_receiver_runs_nothing_is_taken_and_after_its_kill_the_roll_ups_follow():
    path = str(write_export(NOON))
    with run_receiver_process():
        assert "the receiver is running" in run_import("envoy-scrape", path, fails=True).output
        assert read_stored("inverter", DAY, DAY + DAY_MS) == []
    run_import("envoy-scrape", path)
    with run_receiver_process():
        assert wait_for_hour(NOON).fields["production"] == pytest.approx(POWER_W)

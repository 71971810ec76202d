"""An import of years ago: outputs go on where they were, and send nothing of it unless somebody asks."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from shared.units import MINUTE_MS, QUARTER_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.imports.receiving import run_import
from tests.receiver.outputs.mirror import MirrorBench
from tests.receiver.service import GATEWAY, SECRET, make_meter

BEGUN_MS = NOW_MS // QUARTER_MS * QUARTER_MS
PAST = datetime(2024, 11, 1, tzinfo=UTC)
PAST_MS = round(PAST.timestamp() * 1000)
QUARTERS = 600
"""More minutes than are remembered one by one."""


@pytest.fixture
def report(tmp_path, monkeypatch):
    """A report of a week, quarter by quarter, and the settings of a receiver over the files of the bench."""
    monkeypatch.chdir(tmp_path)
    values = {
        "STORE": f"sqlite:///{tmp_path / 'readings.sqlite'}",
        "STATE_DIR": str(tmp_path),
        "SECRET": SECRET.decode(),
        "GATEWAYS": GATEWAY,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)
    rows = [f"{PAST + timedelta(minutes=15 * number):%m/%d/%Y %H:%M},25" for number in range(QUARTERS)]
    path = tmp_path / "report.csv"
    path.write_text("\n".join(["Date/Time,Energy Produced (Wh)", *rows]) + "\n")
    return str(path)


async def import_report(report):
    told = await asyncio.to_thread(run_import, "enlighten", report, "--time-zone", "UTC")
    assert f"{QUARTERS} written" in told.output


@pytest.mark.parametrize("is_killed", [False, True])
async def test_an_import_of_a_month_long_ago_moves_no_cursor(tmp_path, report, is_killed):
    async with MirrorBench(tmp_path, StoppedClock()) as bench:
        await bench.write(GATEWAY, [make_meter(NOW_MS)])
        await bench.driver.run_once()
        bench.clock.advance(600)
        await bench.catch_up()
        sent_until = bench.target.slices[-1].stop
        late = NOW_MS + MINUTE_MS
        await bench.write(GATEWAY, [make_meter(late), make_meter(bench.clock.now_ms())])
        if is_killed:
            await bench.driver._target.close()
            await bench.file.close()
            await bench.let_go()
        else:
            await bench.end()
        await import_report(report)
        await bench.begin()
        bench.clock.advance(60)
        await bench.driver.run_once()
        (state,) = bench.driver.list_states(bench.clock.now_ms())
        assert state.behind_ms < 20 * MINUTE_MS
        await bench.catch_up()
        assert min(part.start for part in bench.target.slices) >= BEGUN_MS
        live = [part for part in bench.target.slices if not part.is_late]
        assert live[-1].stop == bench.clock.now_ms() - bench.target.hold_ms
        assert is_killed or live[0].start == sent_until
        stored = await bench.read_stored(GATEWAY, BEGUN_MS, bench.clock.now_ms())
        assert len(stored) == 3
        assert bench.target.content == stored
        leave_wish(tmp_path / FILE, OutputWish("mirror", GATEWAY, PAST_MS))
        bench.clock.advance(60)
        await bench.driver.run_once()
        assert bench.target.slices[-1].start >= PAST_MS
        assert len(bench.target.content) > 3

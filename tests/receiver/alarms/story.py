"""The story of the simulated house: played to the alarms, and what must be sent of it."""

from collections.abc import Callable

from receiver.alarms.definitions import DEFINITIONS, DISK_FULL
from shared.readings import FieldValue, Reading
from tests.receiver.alarms import simulated_house as house
from tests.receiver.alarms.alarm_bench import AlarmBench, set_disk

EVERY_S = 4 * house.MINUTE
RESTARTS = 12
GIB = 1024**3
DAY_S = 86_400
WEAK = "482000000999"
TROUBLES = frozenset({
    ("backlog-growing", ""), ("token-expiring", ""), ("certificate-changed", ""), ("losses", ""),
    ("panel-dead", house.find_dead_inverter()), ("phase-voltage", "a"), ("meter-contradicts", ""),
    ("battery-not-reporting", house.BATTERIES[0]), ("grid-lost", ""),
})  # fmt: skip
"""What is wrong between `TROUBLE_S` and `CALM_S`: alarm and subject."""
SILENCES = frozenset({("scraper-silent", ""), ("gateway-silent", "")})
"""What is wrong afterwards."""

SentAlarms = list[tuple[float, str, str, str]]
"""When (epoch seconds), turn, alarm and subject."""


async def play(bench: AlarmBench, look_too: Callable[[int], None] = lambda _: None) -> SentAlarms:
    """The whole story with its restarts; what was sent and when. `look_too` is called at each look (epoch seconds)."""
    sent: SentAlarms = []
    readings, taken = house.make_story(), 0
    times = list(range(house.START_S + EVERY_S, house.STOP_S, EVERY_S))
    for number, at in enumerate(times):
        first = taken
        while taken < len(readings) and house.find_arrival_ms(readings[taken]) < at * 1000:
            taken += 1
        if taken > first:
            await bench.write(house.GATEWAY, readings[first:taken])
        bench.clock.ms = at * 1000
        await bench.roll_up()
        sent += [(at, *one) for one in await bench.look(at)]
        look_too(at)
        if number % (len(times) // RESTARTS) == 0:
            await bench.restart()
            sent += [(at, *one) for one in await bench.look(at)]
    return sent


def assert_everything_was_told_once(sent: SentAlarms) -> None:
    """Each trouble began and ended in its time, nothing else was sent, and nothing twice."""
    began = {(alarm, subject): at for at, turn, alarm, subject in sent if turn == "began"}
    ended = {(alarm, subject): at for at, turn, alarm, subject in sent if turn == "ended"}
    assert began.keys() == TROUBLES | SILENCES
    assert ended.keys() == began.keys() - {("losses", "")}, "losses are sent for a day"
    assert len(sent) == len(began) + len(ended), "nothing is sent twice"
    for trouble in TROUBLES:
        assert house.TROUBLE_S + DEFINITIONS[trouble[0]].pending_s <= began[trouble] < house.CALM_S, trouble
    for trouble in TROUBLES - {("losses", "")}:
        assert house.CALM_S <= ended[trouble] < house.CALM_S + 75 * house.MINUTE, trouble
    assert house.SILENT_S + 15 * house.MINUTE <= began["scraper-silent", ""] < house.BACK_S
    assert house.BACK_S <= ended["scraper-silent", ""] <= house.BACK_S + 2 * EVERY_S
    assert house.GAP_S + 10 * house.MINUTE <= began["gateway-silent", ""] < house.GAP_END_S
    assert house.GAP_END_S <= ended["gateway-silent", ""] <= house.GAP_END_S + 2 * EVERY_S


async def check_what_takes_days(bench: AlarmBench) -> None:
    """Losses are sent for a day; a weak panel needs two whole days, and one good one."""
    midnight = house.STOP_S // DAY_S * DAY_S

    def make_day(ago: int, ratio: float) -> Reading:
        tags = {"inverter": WEAK, "panel": "7", "array": "-"}
        return Reading("panel_1d", tags, (midnight + ago * DAY_S) * 1000, {"ratio": ratio, "peers": 2000.0})

    async def look_on(day: int) -> list[tuple[str, str, str]]:
        at = house.STOP_S + day * DAY_S
        well: dict[str, FieldValue] = {
            "outbox_rows": 5.0,
            "lost_rows": 7.0,
            "certificate_changed": 0.0,
            "role": "owner",
        }
        await bench.write(house.GATEWAY, [Reading("gateway", {}, (at - 60) * 1000, well)])
        await bench.restart()
        return await bench.look(at)

    await bench.write(house.GATEWAY, [make_day(-1, 0.3), make_day(0, 0.4)], derived=True)
    assert sorted(await look_on(1)) == [("began", "panel-weak", WEAK), ("ended", "losses", "")]
    assert await look_on(1) == []
    await bench.write(house.GATEWAY, [make_day(1, 0.9)], derived=True)
    assert await look_on(2) == [("ended", "panel-weak", WEAK)]


async def check_the_disk(bench: AlarmBench, monkeypatch) -> None:
    at = house.STOP_S + 2 * DAY_S
    with set_disk(monkeypatch, free=2 * GIB, total=100 * GIB):
        sent = [one for minute in range(0, 12, 4) for one in await bench.look(at + minute * house.MINUTE)]
    assert sent == [("began", DISK_FULL.id, "readings")]
    at += 12 * house.MINUTE
    with set_disk(monkeypatch, free=round(5.2 * GIB), total=100 * GIB):
        assert await bench.look(at) == [], "it ends when there is clearly room"
    with set_disk(monkeypatch, free=50 * GIB, total=100 * GIB):
        assert await bench.look(at + 240) == [("ended", DISK_FULL.id, "readings")]

"""The story of the simulated house: played to the alarms, and what must be told of it."""

from collections.abc import Callable

from receiver.alarms.definitions import DEFINITIONS, DISK_FULL
from shared.readings import FieldValue, Reading
from tests.receiver.alarms import simulated_house as house
from tests.receiver.alarms.stage import Stage, set_disk

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

Told = list[tuple[float, str, str, str]]
"""When (epoch seconds), turn, alarm and subject."""


async def play(stage: Stage, look_too: Callable[[int], None] = lambda _: None) -> Told:
    """The whole story with its restarts; what was told and when. `look_too` is called at each look (epoch seconds)."""
    told: Told = []
    readings, taken = house.make_story(), 0
    times = list(range(house.START_S + EVERY_S, house.STOP_S, EVERY_S))
    for number, at in enumerate(times):
        first = taken
        while taken < len(readings) and house.find_arrival_ms(readings[taken]) < at * 1000:
            taken += 1
        if taken > first:
            await stage.write(house.GATEWAY, readings[first:taken])
        stage.clock.ms = at * 1000
        await stage.roll_up()
        told += [(at, *one) for one in await stage.look(at)]
        look_too(at)
        if number % (len(times) // RESTARTS) == 0:
            await stage.restart()
            told += [(at, *one) for one in await stage.look(at)]
    return told


def assert_everything_was_told_once(told: Told) -> None:
    """Each trouble began and ended in its time, nothing else was told, and nothing twice."""
    began = {(alarm, subject): at for at, turn, alarm, subject in told if turn == "began"}
    ended = {(alarm, subject): at for at, turn, alarm, subject in told if turn == "ended"}
    assert began.keys() == TROUBLES | SILENCES
    assert ended.keys() == began.keys() - {("losses", "")}, "losses are told for a day"
    assert len(told) == len(began) + len(ended), "nothing is told twice"
    for trouble in TROUBLES:
        assert house.TROUBLE_S + DEFINITIONS[trouble[0]].pending_s <= began[trouble] < house.CALM_S, trouble
    for trouble in TROUBLES - {("losses", "")}:
        assert house.CALM_S <= ended[trouble] < house.CALM_S + 75 * house.MINUTE, trouble
    assert house.SILENT_S + 15 * house.MINUTE <= began["scraper-silent", ""] < house.BACK_S
    assert house.BACK_S <= ended["scraper-silent", ""] <= house.BACK_S + 2 * EVERY_S
    assert house.GAP_S + 10 * house.MINUTE <= began["gateway-silent", ""] < house.GAP_END_S
    assert house.GAP_END_S <= ended["gateway-silent", ""] <= house.GAP_END_S + 2 * EVERY_S


async def check_what_takes_days(stage: Stage) -> None:
    """Losses are told for a day; a weak panel needs two whole days, and one good one."""
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
        await stage.write(house.GATEWAY, [Reading("gateway", {}, (at - 60) * 1000, well)])
        await stage.restart()
        return await stage.look(at)

    await stage.write(house.GATEWAY, [make_day(-1, 0.3), make_day(0, 0.4)], derived=True)
    assert sorted(await look_on(1)) == [("began", "panel-weak", WEAK), ("ended", "losses", "")]
    assert await look_on(1) == []
    await stage.write(house.GATEWAY, [make_day(1, 0.9)], derived=True)
    assert await look_on(2) == [("ended", "panel-weak", WEAK)]


async def check_the_disk(stage: Stage, monkeypatch) -> None:
    at = house.STOP_S + 2 * DAY_S
    with set_disk(monkeypatch, free=2 * GIB, total=100 * GIB):
        told = [one for minute in range(0, 12, 4) for one in await stage.look(at + minute * house.MINUTE)]
    assert told == [("began", DISK_FULL.id, "readings")]
    at += 12 * house.MINUTE
    with set_disk(monkeypatch, free=round(5.2 * GIB), total=100 * GIB):
        assert await stage.look(at) == [], "it ends when there is clearly room"
    with set_disk(monkeypatch, free=50 * GIB, total=100 * GIB):
        assert await stage.look(at + 240) == [("ended", DISK_FULL.id, "readings")]

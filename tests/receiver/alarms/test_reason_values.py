"""The values of a reason: all that the page needs to say it in other languages, kept over restarts and versions."""

import contextlib
import re
import sqlite3
from pathlib import Path

from receiver.alarms.book import Book
from receiver.alarms.book_file import FILE
from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.facts import (
    Backlog,
    Condition,
    DiskFacts,
    GatewayFacts,
    PanelQuarters,
    PanelRatios,
    PhaseVoltage,
    PowersOfAnHour,
)
from receiver.alarms.judgement import judge_disks, judge_gateway, judge_outputs
from receiver.alarms.states import AlarmKey, AlarmState, Phase
from receiver.outputs.base import OutputState
from receiver.sites.model import Site
from receiver.stores.base import Latest
from tests.clocks import NOW_MS
from tests.receiver.alarms.watching import pass_minutes, start
from tests.receiver.service import GATEWAY

TEXTS = Path("receiver/web/src/texts")
_ALARM = re.compile(r'^      "([a-z-]+)": \{\n(.*?)^      \},$', re.MULTILINE | re.DOTALL)
_REASONS = re.compile(r'(?:reason|ofReceiver): "(.*)",')
_NAMES = re.compile(r"\{(\w+)\}")
OLD_TABLES = """
CREATE TABLE state (
    alarm TEXT, gateway TEXT, subject TEXT, phase TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,
    pending_since INTEGER NOT NULL, judged INTEGER NOT NULL, began INTEGER, ended INTEGER,
    PRIMARY KEY (alarm, gateway, subject)
) WITHOUT ROWID;
CREATE TABLE message (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, status TEXT NOT NULL,
    made INTEGER NOT NULL, not_before INTEGER NOT NULL, notice BLOB NOT NULL
);
CREATE TABLE pass (one INTEGER PRIMARY KEY, judged INTEGER NOT NULL);
PRAGMA user_version = 1;
"""


def read_reasons(file: Path) -> dict[str, list[str]]:
    """The reasons of each alarm in one language of the page."""
    return {alarm: _REASONS.findall(body) for alarm, body in _ALARM.findall(file.read_text())}


def judge_everything() -> list[Condition]:
    """A day on which all goes wrong."""
    facts = GatewayFacts(
        gateway=GATEWAY,
        now_ms=NOW_MS,
        site=Site(),
        status=Latest(
            {},
            NOW_MS,
            {
                "token_expires_in": 3600.0,
                "certificate_changed": 1.0,
                "disk_free": 1e9,
                "disk_size": 1e12,
                "role": "owner",
            },
        ),
        open_gap_since=NOW_MS - 3_600_000,
        backlog=Backlog(5000.0, 2000.0),
        lost=7.0,
        quarters=[PanelQuarters("1", "East 1", [True] * 4)],
        ratios=[PanelRatios("1", "East 1", [0.3, 0.4])],
        voltages=[PhaseVoltage("a", 262.0, 262.0)],
        powers=PowersOfAnHour(-1.0, 3010.0),
        batteries=[Latest({"battery": "9"}, NOW_MS, {"communicating": 0.0})],
        grid_mode="islanded",
    )
    disks = judge_disks([DiskFacts("readings", 10**9, 10**12)])
    outputs = judge_outputs([OutputState("lines", GATEWAY, 7_200_000, "the port is closed")])
    return [*judge_gateway(facts), *disks, *outputs]


def test_every_reason_gives_the_values_that_other_languages_say():
    conditions = judge_everything()
    assert {one.alarm for one in conditions if one.holds} >= DEFINITIONS.keys() - {"scraper-silent"}
    files = [file for file in TEXTS.glob("*_notices.ts") if file.name != "en_notices.ts"]
    assert files
    for file in files:
        reasons = read_reasons(file)
        assert reasons.keys() == DEFINITIONS.keys()
        for condition in conditions:
            known = {
                *condition.values,
                *(["gateway"] if condition.gateway else []),
                *(["subject"] if condition.subject else []),
            }
            of_receiver, of_gateway = reasons[condition.alarm][-1], reasons[condition.alarm][0]
            wanted = set(_NAMES.findall(of_gateway if condition.gateway else of_receiver))
            assert wanted <= known, (file.name, condition)


async def test_the_values_are_answered_and_kept(tmp_path):
    async with start(tmp_path / "state") as service:
        await pass_minutes(service, 12, token_expires_in=86_400.0)
        clock = service.clock
    async with start(tmp_path / "state", clock=clock) as service:
        (entry,) = (await service.get(f"/api/v1/gateways/{GATEWAY}/alarms")).json()
        assert (entry["alarm"], entry["values"]) == ("token-expiring", {"left_s": 86_400.0})
        table = await service.get(f"/api/v1/gateways/{GATEWAY}/alarms?format=csv")
        assert "values" not in table.text.splitlines()[0].split(",")


async def test_the_alarms_of_the_version_before_are_kept(tmp_path):
    """Else all that fires would be told once more."""
    path = tmp_path / FILE
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_TABLES)
        connection.execute("INSERT INTO state VALUES ('losses', '1', '', 'firing', '7 were lost.', 1, 1, 2, 1, NULL)")
        connection.commit()
    book = Book(path)
    key = AlarmKey("losses", "1", "")
    state = AlarmState(Phase.FIRING, "7 were lost.", 1, 1, 2, 1)
    assert await book.load() == {key: state}
    await book.commit({key: state._replace(values='{"readings": 7.0}')}, [], NOW_MS)
    assert (await book.load())[key].values == '{"readings": 7.0}'
    await book.close()

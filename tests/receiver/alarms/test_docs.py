"""docs/alarms.md and docs/alerts.md say of each alarm what its definition says."""

import re
from pathlib import Path

from receiver.alarms import limits
from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.senders import make_senders
from receiver.settings import ContactSettings
from shared.units import DAY_S, MINUTE_S
from tests.clocks import StoppedClock

DOCS = Path(__file__).parents[3] / "docs"
ROWS = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (\w+) \| (.+?) \|$", (DOCS / "alarms.md").read_text(), re.MULTILINE)


def test_the_table_is_that_of_the_definitions():
    assert [(one.id, one.title, str(one.severity), one.meaning) for one in DEFINITIONS.values()] == ROWS


def test_every_alarm_has_a_heading_that_says_what_to_do():
    headings = re.findall(r"^## (.+)$", (DOCS / "alerts.md").read_text(), re.MULTILINE)
    assert {one.title for one in DEFINITIONS.values()} <= set(headings)


def test_the_words_of_the_definitions_name_their_limits():
    said = {one.id: one.meaning for one in DEFINITIONS.values()}
    assert f"{limits.BACKLOG_ROWS} readings" in said["backlog-growing"]
    assert f"{limits.TOKEN_LEFT_S // DAY_S} days" in said["token-expiring"]
    assert f"{limits.VOLTAGE_SHARE:.0%}".replace("%", " %") in said["phase-voltage"]
    assert f"{limits.DISK_FREE_SHARE:.0%}".replace("%", " %") in said["disk-nearly-full"]
    assert f"{limits.DISK_FREE_BYTES // 1024**3} GiB" in said["disk-nearly-full"]
    for alarm in ("gateway-silent", "scraper-silent", "backlog-growing", "phase-voltage", "disk-nearly-full"):
        assert f"for {DEFINITIONS[alarm].pending_s // MINUTE_S} minutes" in said[alarm]


def test_the_channels_that_may_repeat_are_those_of_the_page():
    contacts = ContactSettings(
        ntfy_url="https://n.org/a", telegram_bot_token="t", telegram_chat_id="1", webhook_url="https://e.org/a",
        smtp_url="smtps://e.org", smtp_from="a@e.org", smtp_to="a@e.org",
    )  # fmt: skip
    repeating = {one.name for one in make_senders(contacts, StoppedClock()) if one.recognises_repetition}
    assert repeating == {"webhook"}
    assert "webhook: **at least once**" in (DOCS / "alarms.md").read_text()

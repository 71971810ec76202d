"""What people see: numbers, words for unknown things, and messages without secrets."""

import io

from rich.console import Console

from standalone.api import InverterNow, MeterNow
from standalone.guard import listed
from standalone.messages import message
from standalone.state import SystemState, draw
from standalone.view import ViewFrame, age, line, screen, watts

METERS = [
    MeterNow("production", "a", 3000.0, 231.0, 3.0),
    MeterNow("net-consumption", "a", -2200.0, 231.0, 3.0),
]
INVERTERS = [InverterNow("1", 250.0, 900.0, 300.0), InverterNow("2", 240.0, 900.0, 7200.0)]
METRICS = {
    "envoy_inverters_known": 3.0,
    "envoy_outbox_rows": 7.0,
    "envoy_stream_connected": 1.0,
    "envoy_stream_events_total": 1234.0,
}
FRAME = ViewFrame("a demo", {"API": "http://127.0.0.1:1/api"}, 0.43, ["scraper: hello"])


def _picture(**changes: object) -> SystemState:
    picture = draw(METERS, INVERTERS, METRICS, {"receiver_readings_stored_total": 12345.0}, [])
    return picture._replace(**changes)  # type: ignore[arg-type]


def _shown(picture: SystemState, frame: ViewFrame = FRAME) -> str:
    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(screen(picture, frame))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_screen_shows_the_whole_chain():
    text = _shown(_picture())
    for part in ("3.00 kW", "800 W", "exporting 2.20 kW", "1 of 3", "12,345", "1,234 events", "43%", "scraper: hello"):
        assert part in text


def test_the_line_says_the_same_in_one_row():
    assert line(_picture(), 0.43) == (
        "production 3.00 kW, load 800 W, grid exporting 2.20 kW, inverters 1 of 3, outbox 7, stored 12,345, "
        "last change 3 s ago, history 43%"
    )


def test_nothing_known_is_said_and_not_shown_as_zero():
    nothing = draw([], [], {}, {}, ["the receiver does not answer (ConnectError)"])
    assert "production unknown, load unknown, grid unknown" in line(nothing, None)
    text = _shown(nothing)
    assert "no meter value yet" in text
    assert "the receiver does not answer" in text


def test_old_meter_values_do_not_speak_of_now():
    old = draw([one._replace(age_s=121.0) for one in METERS], INVERTERS, METRICS, {}, [])
    assert old.site.load is None
    assert old.site.production == 250.0  # the inverter that was heard from stands in


def test_an_inverter_is_heard_from_for_two_of_its_own_intervals():
    assert draw([], [InverterNow("1", 1.0, 300.0, 599.0)], {}, {}, []).heard == 1
    assert draw([], [InverterNow("1", 1.0, 300.0, 601.0)], {}, {}, []).heard == 0
    assert draw([], [InverterNow("1", 1.0, None, 601.0)], {}, {}, []).heard == 1


def test_a_battery_has_words_for_both_directions():
    battery = MeterNow("storage", "a", -500.0, 230.0, 1.0)
    assert "battery charging 500 W" in line(draw([*METERS, battery], [], {}, {}, []), None)
    assert "battery discharging 500 W" in line(draw([*METERS, battery._replace(power=500.0)], [], {}, {}, []), None)


def test_text_with_brackets_is_not_taken_for_markup():
    assert "[token]" in _shown(_picture(problems=["refused [token]"]))


def test_numbers_for_people():
    assert [watts(value) for value in (None, 5.4, -999.0, 1500.0)] == ["unknown", "5 W", "-999 W", "1.50 kW"]
    assert [age(value) for value in (None, 3.0, 600.0, 7200.0)] == ["none yet", "3 s ago", "10 min ago", "2 h ago"]


def test_log_lines_become_short_messages():
    assert message("scraper", '{"event": "gateway login", "level": "info", "role": "owner"}') == (
        "scraper: gateway login role=owner"
    )
    assert message("receiver", '{"event": "refused", "level": "warning"}') == "receiver: [warning] refused"
    assert message("receiver", "Traceback (most recent call last):") == "receiver: Traceback (most recent call last):"
    assert message("x", "[1]") == "x: [1]"


def test_messages_show_no_token():
    assert "eyJ" not in message("scraper", '{"event": "eyJhbGciOi.eyJzdWIi.abc"}')


def test_the_guard_ends_only_what_is_still_listed():
    assert listed(["+10\n", "+11\n", "-10\n"]) == {11}

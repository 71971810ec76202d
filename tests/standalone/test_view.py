"""What people see: numbers, words for unknown things, and messages without secrets."""

import io
import json
import re
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from receiver.api.inverter_answers import InverterEntry
from receiver.api.meter_answers import HouseholdPower, MeterEntry
from receiver.queries.panels import PanelState
from standalone.amounts import format_watts
from standalone.api import UNKNOWN_POWER, ReceiverApi, StatusPort
from standalone.directories import find_free_port
from standalone.guard import find_remaining
from standalone.messages import format_message
from standalone.stack import print_link
from standalone.state import Sources, SystemState, combine, read_state
from standalone.view import ViewFrame, format_age, render_line, render_screen

AMOUNTS = Path(__file__).parents[2] / "receiver" / "web" / "tests" / "amounts.json"
SERIAL = "122200000001"


def make_phase(meter: str, phase: str = "a", power: float = 1000.0, *, speaks: bool = True) -> MeterEntry:
    return MeterEntry(meter=meter, phase=phase, timestamp=1, age_seconds=3.0, speaks=speaks, power=power, voltage=231.0)


def make_panel(inverter: str, age_s: float | None, *, speaks: bool) -> InverterEntry:
    return InverterEntry(inverter=inverter, timestamp=1, age_seconds=age_s, speaks=speaks, state=PanelState.IDLE)


POWER = UNKNOWN_POWER | HouseholdPower(  # type: ignore[typeddict-item]
    production_w=3000.0, load_w=800.0, net_w=-2200.0, imported_w=0.0, exported_w=2200.0
)
METERS = [make_phase("production", power=3000.0), make_phase("net-consumption", power=-2200.0)]
INVERTERS = [
    make_panel("1", 300.0, speaks=True), make_panel("2", 7200.0, speaks=False), make_panel("3", None, speaks=False),
]  # fmt: skip
METRICS = {
    "envoy_inverters_known": 4.0,
    "envoy_outbox_rows": 7.0,
    "envoy_stream_connected": 1.0,
    "envoy_stream_events_total": 1234.0,
}
FRAME = ViewFrame("a demo", {"API": "http://127.0.0.1:1/api"}, 0.43, ["scraper: hello"])


def _make_state(**changes: object) -> SystemState:
    state = combine(POWER, METERS, INVERTERS, METRICS, {"receiver_readings_stored_total": 12345.0}, [])
    return state._replace(**changes)  # type: ignore[arg-type]


def _show(state: SystemState, frame: ViewFrame = FRAME) -> str:
    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(render_screen(state, frame, console))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_screen_shows_the_whole_chain():
    text = _show(_make_state())
    for part in ("3.00 kW", "800 W", "exporting 2.20 kW", "1 of 4", "12,345", "1,234 events", "43%", "scraper: hello"):
        assert part in text


def test_a_terminal_of_80_by_24_shows_all_that_matters():
    """A battery, three phases and a problem; what is cut is the messages."""
    phases = "abc"
    state = _make_state(
        power={**POWER, "battery_w": -500.0},
        meters=[
            make_phase(meter, phase)
            for meter in ("production", "net-consumption", "total-consumption", "storage")
            for phase in phases
        ],
        problems=["scraper: the gateway does not answer, so nothing is known of this moment"],
    )
    frame = ViewFrame(
        "envoy-relay: gateway 122200000001",
        {
            "the page": "http://192.168.178.20:8000/",
            "another link to it": "/srv/envoy-relay/.venv/bin/x --and so on " * 3,
        },
        1.0,
        [f"scraper: message {number}" for number in range(4)],
        "o opens the page, Ctrl-C stops everything",
    )
    console = Console(width=80, height=24, file=io.StringIO(), force_terminal=False)
    console.print(render_screen(state, frame, console))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for part in ("charging 500 W", "battery", "voltage", "history: all there", "the gateway does not answer", "Ctrl-C",
                 "http://192.168.178.20:8000/"):  # fmt: skip
        assert part in text


def test_the_line_says_the_same_in_one_row():
    assert render_line(_make_state(), 0.43) == (
        "production 3.00 kW, load 800 W, grid exporting 2.20 kW, inverters 1 of 4, outbox 7, stored 12,345, "
        "last change 3 s ago, history 43%"
    )


def test_nothing_known_is_said_and_not_shown_as_zero():
    nothing = combine(UNKNOWN_POWER, [], [], {}, {}, ["the receiver does not answer (ConnectError)"])
    assert "production unknown, load unknown, grid unknown" in render_line(nothing, None)
    text = _show(nothing)
    assert "no meter value yet" in text
    assert "the receiver does not answer" in text


def test_what_does_not_speak_of_now_is_dim_and_not_counted():
    """The receiver says which it is. At night an idle panel does not report, and is not counted."""
    panels = [make_panel("1", 9.0, speaks=False), make_panel("2", 9000.0, speaks=True)]
    state = combine(UNKNOWN_POWER, [make_phase("production", speaks=False)], panels, {}, {}, [])
    assert state.reporting == 1
    for speaks in (True, False):
        console = Console(width=100, file=io.StringIO(), force_terminal=True, color_system="standard")
        console.print(render_screen(state._replace(meters=[make_phase("production", speaks=speaks)]), FRAME, console))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert bool(re.search(r"\x1b\[2m *1\.00 kW", text)) is not speaks


def _answer_as_receiver(request: httpx.Request) -> httpx.Response:
    """A receiver whose `/power` differs from the sums of its meters, as a sites file can make it."""
    documents = {
        "": [{"gateway": SERIAL}],
        f"/{SERIAL}/power": HouseholdPower(
            production_w=5100.0, load_w=1900.0, net_w=-3200.0, imported_w=0.0, exported_w=3200.0, battery_w=-640.0,
            state_of_charge=None, grid_mode=None, load_unknown=None, timestamp=1, age_seconds=1.0,
        ),
        f"/{SERIAL}/meters": [
            MeterEntry(meter="production", phase="a", timestamp=1, age_seconds=500.0, speaks=False, power=3000.0)
        ],
        f"/{SERIAL}/inverters": [
            InverterEntry(inverter="1", timestamp=1, age_seconds=9.0, speaks=True, state=PanelState.IDLE, power=250.0)
        ],
    }  # fmt: skip
    return httpx.Response(200, json=documents[request.url.path.removeprefix("/api/v1/gateways")])


async def test_the_view_shows_the_numbers_of_power():
    """The receiver alone judges which values count: nothing is computed from the meters or inverters again."""
    api = ReceiverApi("http://receiver.test", SERIAL, "token", transport=httpx.MockTransport(_answer_as_receiver))
    silent = StatusPort("service", find_free_port())
    sources = Sources(api, silent, silent)
    try:
        state = await read_state(sources)
    finally:
        await sources.aclose()
    assert render_line(state, None).splitlines()[0] == (
        "production 5.10 kW, load 1.90 kW, grid exporting 3.20 kW, battery charging 640 W, inverters 1 of 1, "
        "outbox unknown, stored unknown, last change 9 s ago"
    )
    text = _show(state)
    for number in ("5.10 kW", "1.90 kW", "exporting 3.20 kW", "charging 640 W"):
        assert number in text


def test_a_battery_has_words_for_both_directions():
    assert "battery charging 500 W" in render_line(_make_state(power={**POWER, "battery_w": -500.0}), None)
    assert "battery discharging 500 W" in render_line(_make_state(power={**POWER, "battery_w": 500.0}), None)


def test_text_with_brackets_is_not_taken_for_markup():
    assert "[token]" in _show(_make_state(problems=["refused [token]"]))


@pytest.mark.parametrize(("watts", "text"), json.loads(AMOUNTS.read_text(encoding="utf-8")))
def test_powers_are_rounded_as_on_the_page(watts: float, text: str):
    """The page's own tests have the same cases."""
    assert format_watts(watts) == text


def test_numbers_for_people():
    assert format_watts(None) == "unknown"
    assert [format_age(value) for value in (None, 3.0, 600.0, 7200.0)] == [
        "none yet",
        "3 s ago",
        "10 min ago",
        "2 h ago",
    ]


def test_log_lines_become_short_messages():
    assert format_message("scraper", '{"event": "gateway login", "level": "info", "role": "owner"}') == (
        "scraper: gateway login role=owner"
    )
    assert format_message("receiver", '{"event": "refused", "level": "warning"}') == "receiver: [warning] refused"
    assert (
        format_message("receiver", "Traceback (most recent call last):")
        == "receiver: Traceback (most recent call last):"
    )
    assert format_message("x", "[1]") == "x: [1]"


def test_messages_show_no_token():
    assert "eyJ" not in format_message("scraper", '{"event": "eyJhbGciOi.eyJzdWIi.abc"}')


def test_the_guard_ends_only_what_is_still_listed():
    assert find_remaining(["+10\n", "+11\n", "-10\n"]) == {11}


def test_the_demo_sends_nobody_to_the_command_of_a_real_gateway() -> None:
    for simulated in (True, False):
        console = Console(width=100, file=io.StringIO(), force_terminal=False)
        print_link(console, "http://127.0.0.1:8000/#t=aaaabbbbccccdddd", simulated=simulated)
        shown = console.file.getvalue()  # type: ignore[attr-defined]
        assert "works on this machine only" in shown
        assert ("make run LAN=1" in shown) is not simulated

"""The system's state for people: a live screen in a terminal, a line of text elsewhere. The caller prints."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from receiver.api.meter_answers import MeterEntry
from shared.durations import describe_age
from shared.logs import make_inert
from standalone.amounts import format_watts
from standalone.state import SystemState

_METER_NAMES = {
    "production": "production",
    "pv3p": "other production",
    "net-consumption": "grid (net)",
    "total-consumption": "consumption",
    "storage": "battery",
}
_METER_ORDER = tuple(_METER_NAMES)
_FRAME_LINES = 3
"""The border, and the line below it, which a terminal needs for its cursor."""
_FRAME_COLUMNS = 4


class ViewFrame(NamedTuple):
    """Text around the numbers.

    Attributes:
        title: Name of what runs.
        links: Label to address or command.
        history: Share of the simulated past that is loaded, 0 to 1; None without one.
        messages: The last messages of the processes, oldest first.
        keys: What the keyboard does.
    """

    title: str
    links: Mapping[str, str]
    history: float | None
    messages: Sequence[str]
    keys: str = "Ctrl-C stops everything"


def render_screen(state: SystemState, frame: ViewFrame, console: Console) -> RenderableType:
    """The whole live view. What matters less is left out where the terminal is too low for it."""
    parts: list[RenderableType] = [
        _render_tiles(state),
        _render_meters(state.meters),
        _render_delivery(state, frame.history),
    ]
    if state.problems:
        parts.append(Text("\n".join(f"! {make_inert(problem)}" for problem in state.problems), style="yellow"))
    room = console.height - _FRAME_LINES - sum(_count_lines(part, console) for part in parts)
    messages = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in reversed(frame.messages)]
    shown: list[RenderableType] = []
    for row in (*_render_links(frame.links), *messages):
        room -= _count_lines(row, console)
        if room < 0:
            break
        shown.append(row)
    links = [row for row in shown if row not in messages]
    parts += [*links, *reversed([row for row in shown if row in messages])]
    return Panel(Group(*parts), title=format_literally(frame.title), subtitle=frame.keys, box=box.ROUNDED)


def _count_lines(part: RenderableType, console: Console) -> int:
    return len(console.render_lines(part, console.options.update_width(console.width - _FRAME_COLUMNS), pad=False))


def render_line(state: SystemState, history: float | None) -> str:
    """The state in one plain line, for logs and pipes."""
    power = state.power
    words = [
        f"production {format_watts(power['production_w'])}",
        f"load {format_watts(power['load_w'])}",
        f"grid {_describe_grid(state)}",
    ]
    if power["battery_w"] is not None:
        words.append(f"battery {_describe_battery(power['battery_w'])}")
    words += [
        f"inverters {state.reporting} of {state.inverters}",
        f"outbox {_format_count(state.outbox_rows)}",
        f"stored {_format_count(state.stored)}",
        f"last change {format_age(state.age_s)}",
    ]
    if history is not None:
        words.append(f"history {history:.0%}")
    return ", ".join(words) + "".join(f"\n  ! {make_inert(problem)}" for problem in state.problems)


def format_age(seconds: float | None) -> str:
    """An age for people."""
    return "none yet" if seconds is None else describe_age(seconds, short=True)


def _render_tiles(state: SystemState) -> Table:
    """The three or four numbers that matter most to people."""
    power = state.power
    tiles = [
        ("Production", format_watts(power["production_w"]), "green"),
        ("House load", format_watts(power["load_w"]), "cyan"),
        ("Grid", _describe_grid(state), "magenta"),
    ]
    if power["battery_w"] is not None:
        tiles.append(("Battery", _describe_battery(power["battery_w"]), "blue"))
    table = Table(box=None, expand=True, show_header=True, padding=(0, 1))
    for name, _, _ in tiles:
        table.add_column(name, justify="center", ratio=1)
    table.add_row(*(Text(value, style=f"bold {colour}") for _, value, colour in tiles))
    return table


def _describe_grid(state: SystemState) -> str:
    imported_w, exported_w = state.power["imported_w"], state.power["exported_w"]
    if imported_w is None or exported_w is None:
        return "unknown"
    return (
        f"importing {format_watts(imported_w)}" if imported_w >= exported_w else f"exporting {format_watts(exported_w)}"
    )


def _describe_battery(power_w: float) -> str:
    return f"discharging {format_watts(power_w)}" if power_w >= 0 else f"charging {format_watts(-power_w)}"


def _render_meters(meters: Sequence[MeterEntry]) -> RenderableType:
    """Power per meter and phase; old values are dim."""
    phases = sorted({one["phase"] for one in meters})
    if not phases:
        return Text("no meter value yet", style="dim", justify="center")
    table = Table(box=box.SIMPLE_HEAD, expand=True)
    table.add_column("meter")
    for phase in phases:
        table.add_column(format_literally(f"phase {phase}"), justify="right")
    table.add_column("last change", justify="right")
    for meter in sorted({one["meter"] for one in meters}, key=_rank_meter):
        of_meter = {one["phase"]: one for one in meters if one["meter"] == meter}
        cells = [_render_cell(of_meter.get(phase)) for phase in phases]
        table.add_row(
            format_literally(_METER_NAMES.get(meter, meter)),
            *cells,
            format_age(min(one["age_seconds"] for one in of_meter.values())),
        )
    volts = {one["phase"]: one["voltage"] for one in meters if "voltage" in one}
    if volts:
        table.add_row("voltage", *(f"{volts[phase]:.1f} V" if phase in volts else "" for phase in phases), "")
    return table


def format_literally(text: str) -> Text:
    """Text of others, shown literally: markup and control characters have no effect."""
    return Text(make_inert(text))


def _rank_meter(meter: str) -> tuple[int, str]:
    return (_METER_ORDER.index(meter) if meter in _METER_ORDER else len(_METER_ORDER), meter)


def _render_cell(one: MeterEntry | None) -> Text:
    if one is None:
        return Text("")
    return Text(format_watts(one.get("power")), style="" if one["speaks"] else "dim")


def _render_delivery(state: SystemState, history: float | None) -> Text:
    """Each step of the readings on their way to the store, in two or three lines."""
    steps = [
        f"panels {state.reporting} of {state.inverters}",
        "no meter stream" if state.streamed is None else f"stream {state.streamed:,} events read",
        f"waiting {_format_count(state.outbox_rows)}",
        f"stored since the start {_format_count(state.stored)}",
        f"last change {format_age(state.age_s)}",
    ]
    if history is not None:
        steps.append("history: all there" if history >= 1 else f"history: loading, {history:.0%}")
    return Text(" · ".join(steps))


def _render_links(links: Mapping[str, str]) -> list[Text]:
    return [
        Text.assemble((f"{label}  ", "dim"), format_literally(target), overflow="fold")
        for label, target in links.items()
    ]


def _format_count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"

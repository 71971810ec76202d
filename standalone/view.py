"""How a picture looks: a live screen in a terminal, one line now and then elsewhere. Pure; the caller prints."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shared.logs import make_inert
from shared.units import HOUR_S, MINUTE_S
from standalone.api import MeterNow
from standalone.state import SystemState

_METER_NAMES = {
    "production": "production",
    "net-consumption": "grid (net)",
    "total-consumption": "consumption",
    "storage": "battery",
}
_METER_ORDER = tuple(_METER_NAMES)
_STALE_S = 120.0


class ViewFrame(NamedTuple):
    """What surrounds the numbers.

    Attributes:
        title: What is running.
        links: Label to address or command.
        history: How much of the simulated past is loaded, 0 to 1; None where there is none.
        messages: The last things that the parts said, oldest first.
    """

    title: str
    links: Mapping[str, str]
    history: float | None
    messages: Sequence[str]


def screen(picture: SystemState, frame: ViewFrame) -> RenderableType:
    """The whole live view."""
    parts: list[RenderableType] = [_tiles(picture), _meters(picture.meters), _chain(picture, frame.history)]
    if picture.problems:
        parts.append(Text("\n".join(f"! {make_inert(problem)}" for problem in picture.problems), style="yellow"))
    parts.append(_links(frame.links))
    if frame.messages:
        parts.append(Text("\n".join(frame.messages), style="dim", no_wrap=True, overflow="ellipsis"))
    return Panel(Group(*parts), title=_quoted(frame.title), subtitle="Ctrl-C stops everything", box=box.ROUNDED)


def line(picture: SystemState, history: float | None) -> str:
    """The picture in one plain line, for logs and pipes."""
    site = picture.site
    words = [
        f"production {watts(site.production)}",
        f"load {watts(site.load)}",
        f"grid {_grid(picture)}",
    ]
    if site.battery is not None:
        words.append(f"battery {_battery(site.battery)}")
    words += [
        f"inverters {picture.heard} of {picture.inverters}",
        f"outbox {_count(picture.outbox_rows)}",
        f"stored {_count(picture.stored)}",
        f"last change {age(picture.age_s)}",
    ]
    if history is not None:
        words.append(f"history {history:.0%}")
    return ", ".join(words) + "".join(f"\n  ! {make_inert(problem)}" for problem in picture.problems)


def watts(value: float | None) -> str:
    """A power for people: W below 1 kW, else kW."""
    if value is None:
        return "unknown"
    return f"{value:.0f} W" if abs(value) < 1000 else f"{value / 1000:.2f} kW"


def age(seconds: float | None) -> str:
    """An age for people."""
    if seconds is None:
        return "none yet"
    if seconds < 90:
        return f"{seconds:.0f} s ago"
    return f"{seconds / MINUTE_S:.0f} min ago" if seconds < 1.5 * HOUR_S else f"{seconds / HOUR_S:.0f} h ago"


def _tiles(picture: SystemState) -> Table:
    """The four numbers that people look for."""
    site = picture.site
    tiles = [
        ("Production", watts(site.production), "green"),
        ("House load", watts(site.load), "cyan"),
        ("Grid", _grid(picture), "magenta"),
    ]
    if site.battery is not None:
        tiles.append(("Battery", _battery(site.battery), "blue"))
    table = Table(box=None, expand=True, show_header=True, padding=(0, 1))
    for name, _, _ in tiles:
        table.add_column(name, justify="center", ratio=1)
    table.add_row(*(Text(value, style=f"bold {colour}") for _, value, colour in tiles))
    return table


def _grid(picture: SystemState) -> str:
    imported, exported = picture.site.imported, picture.site.exported
    if imported is None or exported is None:
        return "unknown"
    return f"importing {watts(imported)}" if imported >= exported else f"exporting {watts(exported)}"


def _battery(power: float) -> str:
    return f"discharging {watts(power)}" if power >= 0 else f"charging {watts(-power)}"


def _meters(meters: Sequence[MeterNow]) -> RenderableType:
    """Power per meter and phase; old values are dim."""
    phases = sorted({one.phase for one in meters})
    if not phases:
        return Text("no meter value yet", style="dim", justify="center")
    table = Table(box=box.SIMPLE_HEAD, expand=True)
    table.add_column("meter")
    for phase in phases:
        table.add_column(_quoted(f"phase {phase}"), justify="right")
    table.add_column("last change", justify="right")
    for meter in sorted({one.meter for one in meters}, key=_order):
        of_meter = {one.phase: one for one in meters if one.meter == meter}
        cells = [_cell(of_meter.get(phase)) for phase in phases]
        table.add_row(_quoted(_METER_NAMES.get(meter, meter)), *cells, age(min(one.age_s for one in of_meter.values())))
    volts = {one.phase: one.voltage for one in meters if one.voltage is not None}
    if volts:
        table.add_row("voltage", *(f"{volts[phase]:.1f} V" if phase in volts else "" for phase in phases), "")
    return table


def _quoted(text: str) -> Text:
    """What others say, as it stands: neither markup nor control characters do anything."""
    return Text(make_inert(text))


def _order(meter: str) -> tuple[int, str]:
    return (_METER_ORDER.index(meter) if meter in _METER_ORDER else len(_METER_ORDER), meter)


def _cell(one: MeterNow | None) -> Text:
    if one is None:
        return Text("")
    return Text(watts(one.power), style="dim" if one.age_s > _STALE_S else "")


def _chain(picture: SystemState, history: float | None) -> Table:
    """How far the readings have come."""
    table = Table.grid(padding=(0, 2))
    table.add_row("inverters heard from", f"{picture.heard} of {picture.inverters}")
    table.add_row("meter stream", "none" if picture.streamed is None else f"{picture.streamed:,} events read")
    table.add_row("last change stored", age(picture.age_s))
    table.add_row("waiting in the outbox", _count(picture.outbox_rows))
    table.add_row("readings stored since the start", _count(picture.stored))
    if history is not None:
        table.add_row("history", "all there" if history >= 1 else f"loading in the background, {history:.0%}")
    return table


def _links(links: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for label, target in links.items():
        table.add_row(Text(label, style="dim"), Text(target, overflow="fold"))
    return table


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"

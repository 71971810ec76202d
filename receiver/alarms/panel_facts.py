"""The roll-ups of panels as facts. Pure. A panel that was renamed has several series for a while: they are one here."""

from collections.abc import Iterator, Sequence

from receiver.alarms import limits
from receiver.alarms.facts import PanelQuarters, PanelRatios
from receiver.rollups.series import read_number
from receiver.stores.base import Point, SeriesPoints


def list_panel_quarters(quarters: Sequence[SeriesPoints]) -> list[PanelQuarters]:
    """Every panel in its quarter hours of daylight, from `panel_15m` with `dead` and `peers`."""
    found = []
    for inverter, name, points in _merge_panels(quarters):
        dead = [
            number > 0
            for _, fields in points
            if (read_number(fields, "peers") or 0.0) >= limits.PANEL_DAYLIGHT_W
            and (number := read_number(fields, "dead")) is not None
        ]
        found.append(PanelQuarters(inverter, name, dead))
    return found


def list_panel_ratios(days: Sequence[SeriesPoints]) -> list[PanelRatios]:
    """Every panel on its bright days, from `panel_1d` with `ratio` and `peers`."""
    found = []
    for inverter, name, points in _merge_panels(days):
        ratios = [
            ratio
            for _, fields in points
            if (read_number(fields, "peers") or 0.0) >= limits.PANEL_BRIGHT_WH
            and (ratio := read_number(fields, "ratio")) is not None
        ]
        found.append(PanelRatios(inverter, name, ratios))
    return found


def _merge_panels(series: Sequence[SeriesPoints]) -> Iterator[tuple[str, str, list[Point]]]:
    """Inverter, its newest name, and its points in order of time."""
    by_inverter: dict[str, list[SeriesPoints]] = {}
    for one in series:
        by_inverter.setdefault(one.series.get_tag("inverter"), []).append(one)
    for inverter, parts in by_inverter.items():
        parts.sort(key=lambda part: part.points[-1].timestamp)
        points = {point.timestamp: point for part in parts for point in part.points}
        yield inverter, parts[-1].series.get_tag("panel"), [points[time] for time in sorted(points)]

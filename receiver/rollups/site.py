"""`site_1m` and `site_1h`: what the household asks, as power. Pure."""

from collections.abc import Iterable, Sequence

from receiver.energy.combine import add, scale
from receiver.energy.energy import compute_window_positive_negative
from receiver.energy.means import Summary, summarise_windows
from receiver.energy.site import Netting, SiteSeries, compute_site_series
from receiver.rollups.meters import make_mean_min_max
from receiver.rollups.quarters import Quarter
from receiver.sites.model import Site
from shared.agreement import is_contradiction
from shared.readings import FieldValue, Reading
from shared.units import HOUR_MS


def make_site_rows(kind: str, quarters: Iterable[Quarter], site: Site, boundaries: Sequence[int]) -> list[Reading]:
    """One row for each window between neighbouring boundaries in which something is known.

    Args:
        kind: Of the rows.
        quarters: Neighbouring ones that make up the windows.
        site: How import and export are billed.
        boundaries: UTC milliseconds.
    """
    cut = list(quarters)
    measured = [compute_site_series(quarter.powers, inverters=quarter.inverters, most=quarter.most) for quarter in cut]
    power = _join(
        [_leave_out_trade(one) if quarter.was_cut_off else one for quarter, one in zip(cut, measured, strict=True)]
    )
    quantities = {
        "production": summarise_windows(power.production, boundaries),
        "load": summarise_windows(power.load, boundaries),
        "net": summarise_windows(_join(measured).net, boundaries),
        "battery": summarise_windows(power.battery, boundaries),
    }
    was_cut_off = any(quarter.was_cut_off for quarter in cut)
    nets = summarise_windows(power.net, boundaries) if was_cut_off else quantities["net"]
    traded = _describe_trade(power, site.netting, boundaries)
    rows = []
    for index, start in enumerate(boundaries[:-1]):
        judged = _judge_load({name: windows[index] for name, windows in quantities.items()})
        row = _make_row(judged | {"net": nets[index]})
        if row:
            rows.append(Reading(kind, {}, start, row | traded[index]))
    return rows


def _leave_out_trade(power: SiteSeries) -> SiteSeries:
    """What is known while the main relay is open: what the grid's meter shows is part of the load, and no trade."""
    return power._replace(net=[], net_phases=[])


def _join(quarters: Sequence[SiteSeries]) -> SiteSeries:
    """Quarter hours one after the other. Where their phases are not the same, each keeps what it has."""
    production, load, net, battery = (
        [segment for quarter in quarters for segment in getattr(quarter, name)]
        for name in ("production", "load", "net", "battery")
    )
    most = max((len(quarter.net_phases) for quarter in quarters), default=0)
    phases = [
        [segment for quarter in quarters for phase in quarter.net_phases[index : index + 1] for segment in phase]
        for index in range(most)
    ]
    return SiteSeries(production, load, net, phases, battery)


def _describe_trade(power: SiteSeries, netting: Netting, boundaries: Sequence[int]) -> list[dict[str, FieldValue]]:
    """Mean import and export of each window; empty where they are unknown."""
    billed = [power.net]
    if netting == "phases":  # each only where all are known, so that they speak of the same time
        billed = [add([phase, scale(power.net, 0.0)]) for phase in power.net_phases]
    answers: list[dict[str, FieldValue]] = []
    for windows in zip(*(compute_window_positive_negative(series, boundaries) for series in billed), strict=True):
        hours = windows[0].coverage * (boundaries[1] - boundaries[0]) / HOUR_MS
        answer: dict[str, FieldValue] = {}
        if hours > 0:
            answer["imported"] = sum(window.positive_wh or 0.0 for window in windows) / hours
            answer["exported"] = sum(window.negative_wh or 0.0 for window in windows) / hours
        answers.append(answer)
    return answers or [{} for _ in boundaries]


def _judge_load(summaries: dict[str, Summary]) -> dict[str, Summary]:
    """The quantities of one window without a load below 0: meters differ by a little; by more, they contradict it."""
    load = summaries["load"]
    if load.mean is None or load.minimum is None or load.maximum is None or load.minimum >= 0:
        return summaries
    supplies = [summaries[name].mean for name in ("production", "net", "battery")]
    if load.mean < 0 and is_contradiction([power for power in supplies if power is not None] or [load.mean]):
        return summaries | {"load": load._replace(mean=None, minimum=None, maximum=None, last=None, coverage=0.0)}
    known = load._replace(mean=max(load.mean, 0.0), minimum=0.0, maximum=max(load.maximum, 0.0))
    return summaries | {"load": known}


def _make_row(summaries: dict[str, Summary]) -> dict[str, FieldValue]:
    """Empty if nothing is known; the coverage is that of the least known quantity in the row."""
    row: dict[str, FieldValue] = {}
    for name, summary in summaries.items():
        row |= make_mean_min_max(name, summary)
    if not row:
        return row
    return {"coverage": min(known.coverage for known in summaries.values() if known.mean is not None), **row}

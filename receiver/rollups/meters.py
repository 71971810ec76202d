"""`meter_1m` and `meter_1h`: mean, lowest and highest value of each field of each meter and phase. Pure."""

from collections.abc import Iterable, Sequence

from receiver.energy.gaps import Gaps
from receiver.energy.linear import summarise_linear
from receiver.energy.means import Summary
from receiver.rollups.series import add_silences, select_samples, select_silent
from receiver.stores.base import SeriesPoints
from shared.fields import KINDS, Interpolation
from shared.readings import FieldValue, Reading

FIELDS = tuple(name for name, field in KINDS["meter"].fields.items() if field.interpolation is Interpolation.LINEAR)


def make_meter_rows(
    kind: str, meters: Iterable[SeriesPoints], boundaries: Sequence[int], gaps: Gaps = ()
) -> list[Reading]:
    """One row for each series and window between boundaries (UTC milliseconds) in which a field is known."""
    rows = []
    for series, points in meters:
        tags = dict(series.tags)
        silent = select_silent(points)
        fields = {
            name: summarise_linear(select_samples(points, name), boundaries, gaps=add_silences(gaps, silent, name))
            for name in FIELDS
        }
        for index, start in enumerate(boundaries[:-1]):
            row = _make_row({name: windows[index] for name, windows in fields.items()})
            if row:
                rows.append(Reading(kind, tags, start, row))
    return rows


def _make_row(summaries: dict[str, Summary]) -> dict[str, FieldValue]:
    """Empty if nothing is known."""
    row: dict[str, FieldValue] = {}
    for name, summary in summaries.items():
        row |= make_mean_min_max(name, summary)
    return {"coverage": summaries["power"].coverage, **row} if row else row


def make_mean_min_max(name: str, summary: Summary) -> dict[str, FieldValue]:
    """The three fields of one quantity; none where nothing is known."""
    if summary.mean is None or summary.minimum is None or summary.maximum is None:
        return {}
    return {name: summary.mean, f"{name}_min": summary.minimum, f"{name}_max": summary.maximum}

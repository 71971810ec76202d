"""How much one question may ask for, decided before anything is read. Pure.

Two bounds: the points of the answer, and the stored points that must be read for it. The second is judged by how often
a kind comes at most, not by what is stored, so that the same question has the same answer in every store.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, get_args

from receiver.calendar.windows import PanelEvery, Range, Step, find_step
from receiver.queries.refusals import make_refusal
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, SECOND_MS

MAX_POINTS: Final = 50_000
"""Points of one answer, all series together."""
MAX_READ: Final = 3_000_000
"""Stored points that may be read for one answer, as `estimate_stored` counts them."""
MAX_HELD: Final = 300_000
"""Likewise where all of them must be in memory at once."""
MAX_PAGED: Final = 50 * MAX_READ
"""Likewise of a range that is read page by page."""
MAX_DOWNLOADED: Final = 1_000_000
"""Points of a file that is made piece by piece."""
PIECE: Final = 50_000
"""Stored points that are in memory at once, where an answer can be made piece by piece."""

_COMES_EVERY_MS: Mapping[str, int] = MappingProxyType({
    "meter": SECOND_MS,
    "meter_energy": MINUTE_MS,
    "inverter": 5 * MINUTE_MS,
    "production": MINUTE_MS,
    "gateway": MINUTE_MS,
    "event": MINUTE_MS,
    "meter_1m": MINUTE_MS,
    "site_1m": MINUTE_MS,
    "delivery": MINUTE_MS,
    "energy_15m": QUARTER_MS,
    "panel_15m": QUARTER_MS,
    "meter_1h": HOUR_MS,
    "site_1h": HOUR_MS,
    "energy_1h": HOUR_MS,
})  # fmt: skip
_ADVISED = (Step(1, "s"), Step(10, "s"), Step(1, "m"), Step(5, "m"), *map(find_step, get_args(PanelEvery)))
"""What may be advised, from short to long."""


def check_windows(every: Step, asked: Range, *, series: int = 1, most: int = MAX_POINTS) -> None:
    """Refuse more windows than an answer may have.

    Args:
        every: The length of each.
        asked: What they cover.
        series: How many series the answer has, or 1 while that is not known.
        most: Points of it.

    Raises:
        RefusedError: It says which `every` would do.
    """
    if _count_windows(every.least_ms, asked) * series > most:
        enough = (
            step
            for step in _ADVISED
            if step.least_ms > every.least_ms and _count_windows(step.least_ms, asked) * series <= most
        )
        least = next(enough, _ADVISED[-1])
        raise make_refusal(
            "every",
            f"is too short for this range: an answer has at most {most:,} points. Choose {least} or longer, a "
            "shorter range or fewer series",
        )


def check_read(kind: str, asked: Range, *, series: int, most: int = MAX_READ, instead: str | None = None) -> None:
    """Refuse what would read too much.

    Args:
        kind: What is read.
        asked: Of when.
        series: Of how many series.
        most: Stored points, as `estimate_stored` counts them.
        instead: What else to ask, if something better than the usual advice is known.

    Raises:
        RefusedError: It says how long the range may be.
    """
    if estimate_stored(kind, asked, series=series) > most:
        hours = most * find_spacing_ms(kind) // max(series, 1) // HOUR_MS
        longest = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
        others = "fewer series, a step and aggregate that stored hours can answer, or the energy of the site"
        raise make_refusal(
            "start",
            f"is too far back for what every stored reading of {series} series is needed for. Choose at most {longest} "
            f"at once, {f'or {instead}' if instead else others}",
        )


def estimate_stored(kind: str, asked: Range, *, series: int) -> int:
    """How many points of a kind may be stored in a range, at the pace of a busy house."""
    return (asked.stop - asked.start) // find_spacing_ms(kind) * series


def find_spacing_ms(kind: str) -> int:
    """How often a series of a kind has a point at most, in milliseconds."""
    return _COMES_EVERY_MS.get(kind, DAY_MS)


def split_into_pieces(
    kind: str, boundaries: Sequence[int], series: int, *, most: int = PIECE
) -> Iterator[Sequence[int]]:
    """Boundaries in runs that are small enough to be read at once, or have a single window; neighbours share one.

    Args:
        kind: What is read.
        boundaries: Of all windows, UTC milliseconds.
        series: Of how many series.
        most: Stored points of a run, as `estimate_stored` counts them.
    """
    first = 0
    for index in range(1, len(boundaries)):
        is_last = index == len(boundaries) - 1
        if is_last or estimate_stored(kind, Range(boundaries[first], boundaries[index + 1]), series=series) > most:
            yield boundaries[first : index + 1]
            first = index


def _count_windows(length_ms: int, asked: Range) -> int:
    return (asked.stop - asked.start) // length_ms + 1

"""How far a type has come: what is final, what is held back, what is missing. Pure; all times are epoch seconds.

The cloud's newest intervals grow while inverters still report. An interval is final when the cloud knows energy and
reports of later than it, and every device is in it or it is older than the longest lag. Only what is final is
committed, so that no identity ever gets two values.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scraper.cloud.parse.replies import ReplyMeta
from scraper.cloud.rules.amounts import Amount, Amounts
from scraper.cloud.rules.windows import find_quarter

Stretch = tuple[int, int]
"""Start (exclusive) and end (inclusive) of a run of intervals."""


class IntervalJudgement(NamedTuple):
    """What a reply means for its type.

    Attributes:
        final: Intervals that may be committed.
        held: How many may still grow.
        watermark_s: All intervals up to here are final, or missing for good.
        holes: What is missing before that and after the old watermark, the oldest first.
    """

    final: tuple[Amount, ...]
    held: int
    watermark_s: int
    holes: tuple[Stretch, ...]


def find_limit(meta: ReplyMeta, *, now_s: float, max_lag_s: float) -> float:
    """Until when the cloud knows everything that was reported; without a word of it, what is older than the lag."""
    known = [moment for moment in meta if moment is not None]
    return min(known) if known else now_s - max_lag_s


def is_final(end_s: int, devices: int | None, amounts: Amounts, *, now_s: float, max_lag_s: float) -> bool:
    """Whether an interval will not grow any more."""
    if end_s > find_limit(amounts.meta, now_s=now_s, max_lag_s=max_lag_s):
        return False
    return not _is_lagging(devices, amounts.devices_total) or now_s - end_s > max_lag_s


def judge(
    amounts: Amounts, *, watermark_s: int, step_s: int, spoken_until_s: int, now_s: float, max_lag_s: float
) -> IntervalJudgement:
    """What of a reply is final, and how far the watermark moves.

    Args:
        amounts: The reply, of a window that begins at the watermark or before it.
        watermark_s: Where the type stands.
        step_s: Length of its intervals.
        spoken_until_s: The reply speaks of the time until here; of nothing later is anything said to be missing.
        now_s: Now.
        max_lag_s: What is older than this is not waited for.
    """
    within = [one for one in amounts.intervals if one.end_s <= spoken_until_s]
    final = {
        one.end_s: one for one in within if is_final(one.end_s, one.devices, amounts, now_s=now_s, max_lag_s=max_lag_s)
    }
    present = {one.end_s for one in within}
    limit = min(find_limit(amounts.meta, now_s=now_s, max_lag_s=max_lag_s), spoken_until_s)
    missing = []
    end = watermark_s + step_s
    while end <= limit:
        if end not in final:
            if end in present or now_s - end <= max_lag_s:
                break
            missing.append(end)
        end += step_s
    reached = end - step_s
    return IntervalJudgement(tuple(final.values()), len(present) - len(final), reached, join_ends(missing, step_s))


def join_ends(ends: Iterable[int], step_s: int) -> tuple[Stretch, ...]:
    """Runs of intervals from the ends of single ones."""
    runs: list[Stretch] = []
    for end in sorted(ends):
        if runs and runs[-1][1] == end - step_s:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((end - step_s, end))
    return tuple(runs)


def join_lasting_hole(
    lasting: Stretch | None, holes: Sequence[Stretch], until_s: int
) -> tuple[tuple[Stretch, ...], Stretch | None]:
    """Holes that are over, and one that may go on in the next reply: an outage over many replies is one hole.

    Args:
        lasting: What the reply before ended with.
        holes: Of this reply, the oldest first.
        until_s: Until when it was read.
    """
    found = list(holes)
    if lasting is not None:
        if found and found[0][0] == lasting[1]:
            found[0] = (lasting[0], found[0][1])
        else:
            found.insert(0, lasting)
    goes_on = bool(holes) and found[-1][1] == until_s
    return (tuple(found[:-1]), found[-1]) if goes_on else (tuple(found), None)


def split_stretches(stretches: Iterable[Stretch], step_s: int) -> set[int]:
    """The ends of all intervals of some runs."""
    return {end for start, stop in stretches for end in range(start + step_s, stop + 1, step_s)}


def find_next_start(
    used_end_s: int,
    metas: Sequence[ReplyMeta],
    reports: Iterable[tuple[int, int | None, int | None]],
    *,
    now_s: float,
    max_lag_s: float,
) -> int | None:
    """Where SolarNetwork's reader begins its next window: the laggard of all replies holds back everything.

    Args:
        used_end_s: The end of the window.
        metas: Of every reply.
        reports: End, devices in it and devices in all of every interval.
        now_s: Now.
        max_lag_s: What is older than this is not waited for.

    Returns:
        None if nothing is waited for.
    """
    moments = [used_end_s, *(moment for meta in metas for moment in meta if moment is not None)]
    moments += [end for end, devices, total in reports if _is_lagging(devices, total) and now_s - end <= max_lag_s]
    progress = find_quarter(min(moments))
    return progress if progress < used_end_s else None


def _is_lagging(devices: int | None, total: int | None) -> bool:
    """Whether some device is not in it yet; an interval that does not say may lack one."""
    return bool(total) and (devices or 0) < (total or 0)

"""Exception reporting for one meter series, as plant historians do it.

What it guarantees, for each field on its own:

- A value that leaves the dead-band around the last stored value is stored, together with the sample just before it
  (held back until then). So a straight line between stored points stays within twice the band of every sample.
- The first sample a heartbeat or more after the last snapshot is a snapshot: all its fields. So is the first one
  without power. No timer invents samples.
- Timestamps of what goes out never repeat a field: one identity never carries two values of one field. The held-back
  part may share its identity with fields that went out before; stores merge them.
"""

from typing import NamedTuple

from scraper.delta.bands import NO_BAND, Bands
from shared.fields import HEARTBEAT_MS
from shared.readings import FieldValue, Reading


class MeterState(NamedTuple):
    """What is known of one series; never changed in place.

    Attributes:
        stored: Last stored value of each field of the latest sample.
        held: The latest sample.
        unstored: Fields of `held` that are not stored, because they lie within their bands.
        snapshot_ms: When the last sample went out whole, milliseconds since 1970.
    """

    stored: dict[str, FieldValue]
    held: Reading
    unstored: frozenset[str]
    snapshot_ms: int


_NOTHING: frozenset[str] = frozenset()


def detect(state: MeterState | None, sample: Reading, bands: Bands) -> tuple[MeterState, tuple[Reading, ...]]:
    """Decide what of `sample` must be stored.

    Args:
        state: Of this series; None at the start and after a gap: the sample is then a snapshot.
        sample: The newest sample. One that is not later than the sample before is dropped: its identity is taken.
        bands: Dead-band by field name.

    Returns:
        The next state (keep it only once the readings are committed) and the readings, oldest first.
    """
    if state is None:
        return _make_snapshot(sample)
    if sample.timestamp <= state.held.timestamp:
        return state, ()
    crossed = _find_crossed(state.stored, sample.fields, bands)
    vanished = state.stored.keys() - sample.fields.keys()
    # A sample without power goes out whole at once: till then the last power would be taken for that of now.
    snapshot = sample.timestamp - state.snapshot_ms >= HEARTBEAT_MS or "power" in vanished
    if not (crossed or snapshot or vanished):
        return MeterState(state.stored, sample, frozenset(sample.fields), state.snapshot_ms), ()
    return _report(state, sample, crossed, vanished, snapshot=snapshot)


def flush(state: MeterState) -> tuple[MeterState, tuple[Reading, ...]]:
    """The held-back rest of the latest sample: the last thing known before a stall, a disconnect or a stop."""
    out = _select_fields(state.held, state.unstored)
    if not out:
        return state, ()
    return state._replace(stored=state.held.fields, unstored=_NOTHING), out


def _make_snapshot(sample: Reading) -> tuple[MeterState, tuple[Reading, ...]]:
    """All of `sample` goes out."""
    return MeterState(sample.fields, sample, _NOTHING, sample.timestamp), (sample,) if sample.fields else ()


def _find_crossed(stored: dict[str, FieldValue], fields: dict[str, FieldValue], bands: Bands) -> set[str]:
    """Fields whose value is outside the band, or that had none."""
    crossed = set()
    for name, value in fields.items():
        last = stored.get(name)
        if value == last:  # by far the most common case: spare the arithmetic
            continue
        if last is not None and not isinstance(last, str) and not isinstance(value, str):
            absolute, relative = bands.get(name, NO_BAND)
            distance = abs(value - last)
            if distance <= absolute or distance <= relative * abs(last):
                continue
        crossed.add(name)
    return crossed


def _report(
    state: MeterState, sample: Reading, crossed: set[str], vanished: set[str], *, snapshot: bool
) -> tuple[MeterState, tuple[Reading, ...]]:
    """The held-back values of the fields that crossed or vanished, then the new ones."""
    before = _select_fields(state.held, state.unstored & (crossed | vanished))
    if snapshot:
        state, whole = _make_snapshot(sample)
        return state, before + whole
    stored = {name: value if name in crossed else state.stored[name] for name, value in sample.fields.items()}
    unstored = frozenset(sample.fields.keys() - crossed)
    return MeterState(stored, sample, unstored, state.snapshot_ms), before + _select_fields(sample, crossed)


def _select_fields(sample: Reading, names: set[str] | frozenset[str]) -> tuple[Reading, ...]:
    """`sample` with only the fields `names`; nothing if there are none."""
    if not names:
        return ()
    fields = {name: value for name, value in sample.fields.items() if name in names}
    return (Reading(kind=sample.kind, tags=sample.tags, timestamp=sample.timestamp, fields=fields),)

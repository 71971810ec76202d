"""States that rarely change (`grid`, `generator`, `relay`, `tariff`): sent on change, and now and then all the same."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from shared.fields import STATE_HEARTBEAT_MS
from shared.readings import Reading, Series
from shared.units import SECOND_MS

KINDS_OF_STATE = frozenset({"grid", "generator", "relay", "tariff"})
"""The kinds that are handled here."""
DUE_MS = STATE_HEARTBEAT_MS - 2 * SECOND_MS
"""A state is due this long after the last stored one: the heartbeat, less the jitter of polls (milliseconds)."""

StatesSent: TypeAlias = Mapping[Series, Reading]
"""What was stored last of each series; never changed in place."""


def detect(sent: StatesSent, readings: Sequence[Reading]) -> tuple[StatesSent, tuple[Reading, ...]]:
    """The readings that are new or due, each whole.

    Returns:
        The next state (keep it only once the readings are committed) and what to store.
    """
    changed: dict[Series, Reading] = {}
    for reading in readings:
        last = changed.get(reading.series) or sent.get(reading.series)
        if last is None or last.fields != reading.fields or not 0 <= reading.timestamp - last.timestamp < DUE_MS:
            changed[reading.series] = reading
    return ({**sent, **changed} if changed else sent), tuple(changed.values())

"""Intervals as readings of kind `interval`, stamped with their end. Pure."""

from collections.abc import Sequence

from scraper.cloud.rules.amounts import TOTAL, Amount
from scraper.cloud.rules.progress import Stretch
from scraper.events import make_event
from shared.fields import MAX_TEXT
from shared.readings import FieldValue, Reading
from shared.units import HOUR_S, SECOND_MS

KIND = "interval"


def make_rows(source: str, step_s: int, amount: Amount, devices_total: int | None, revision: int) -> list[Reading]:
    """One reading for each phase.

    Args:
        source: Value of the tag `source`.
        step_s: Length of the interval.
        amount: What the interval holds.
        devices_total: Devices of the system.
        revision: 0 at first; a correction has a higher one.
    """
    rows = []
    for phase, energy in amount.energies.items():
        fields: dict[str, FieldValue] = {
            "energy": energy,
            "interval": float(step_s),
            "power": energy * HOUR_S / step_s,
        }
        if (power := amount.powers.get(phase)) is not None:
            fields["power_end"] = power
        if phase == TOTAL and amount.devices is not None:
            fields["devices"] = float(amount.devices)
        if phase == TOTAL and devices_total is not None:
            fields["devices_total"] = float(devices_total)
        tags = {"source": source, "phase": phase, "revision": str(revision)}
        rows.append(Reading(KIND, tags, amount.end_s * SECOND_MS, fields))
    return rows


def mark_holes(source: str, position: int, holes: Sequence[Stretch]) -> list[Reading]:
    """Intervals that the cloud does not have, as gaps.

    `position` is that of the type: two types may lack the same time, and events that begin in the same millisecond
    would be one.
    """
    reason = f"the cloud has no intervals of {source}"[:MAX_TEXT]
    return [
        make_event("gap", start * SECOND_MS + position, reason, end_ms=end * SECOND_MS + position)
        for start, end in holes
    ]

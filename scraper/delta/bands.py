"""Dead-bands: how far a meter value may move before it is worth storing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from shared.fields import KINDS


class DeadBand(NamedTuple):
    """How far a value may move from the last stored one without being stored.

    Attributes:
        absolute: Half-width in the field's own unit.
        relative: Half-width as a part of the last stored value (0.01 is 1 %); the wider of the two holds.
    """

    absolute: float
    relative: float = 0.0

    def compute_width(self, value: float) -> float:
        """Half-width of the band around the stored `value`, in the field's unit."""
        return max(self.absolute, self.relative * abs(value))


Bands = Mapping[str, DeadBand]
"""Dead-band by name of a `meter` field; a field that is missing here is stored whenever it changes."""

NO_BAND = DeadBand(0.0)

_POWER = DeadBand(5.0, 0.01)

DEFAULT_BANDS: Bands = MappingProxyType({
    "power": _POWER,
    "reactive_power": _POWER,
    "apparent_power": _POWER,
    "voltage": DeadBand(0.5),
    "current": DeadBand(0.05),
    "power_factor": DeadBand(0.02),
    "frequency": DeadBand(0.02),
    "measured": DeadBand(0.0),
})  # fmt: skip
"""About the noise of a split-core CT: what lies inside is not information."""

LOSSLESS: Bands = MappingProxyType(dict.fromkeys(KINDS["meter"].fields, NO_BAND))
"""Every change is stored; only exact repeats are dropped."""


def scale_bands(factor: float) -> Bands:
    """The default bands times `factor`; 0 is lossless."""
    return {name: DeadBand(band.absolute * factor, band.relative * factor) for name, band in DEFAULT_BANDS.items()}

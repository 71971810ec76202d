"""How our dashboards look: colours, units, thresholds, and what an override changes about one field.

Colours are Grafana's names, so that they follow the theme, dark or light; nothing has a background of its own.
"""

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

PRODUCTION, LOAD, IMPORTED, EXPORTED, BATTERY = "yellow", "blue", "red", "green", "purple"
"""One colour per quantity, the same on every dashboard."""

WATT, VAR, VOLT_AMPERE, VOLT, AMPERE, HERTZ = "watt", "voltampreact", "voltamp", "volt", "amp", "rothz"
WATT_HOUR = "watth"
SHARE = "percentunit"
PERCENT = "percent"
CELSIUS = "celsius"
FROM_NOW = "dateTimeFromNow"
DATE_TIME = "dateTimeAsIso"
SECONDS, MINUTES = "s", "m"
BYTES = "bytes"
NUMBER = "none"
"""Unit ids of Grafana (`valueFormats/categories.ts`); W and Wh are scaled to kW and kWh by Grafana itself."""

Step = tuple[float | None, str]
"""A threshold: from this value on (None: from the lowest), this colour."""


def colour_by_name() -> FieldColor:
    """A colour per series, by its name: the same wherever it appears."""
    return FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def colour_by_threshold() -> FieldColor:
    """The colour of the threshold that the value reached."""
    return FieldColor().mode(FieldColorModeId.THRESHOLDS)


def colour_by_gradient(mode: FieldColorModeId) -> FieldColor:
    """A colour by the value between minimum and maximum."""
    return FieldColor().mode(mode)


def make_thresholds(*steps: Step) -> ThresholdsConfig:
    """Absolute thresholds; the first one starts at None."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, colour) for value, colour in steps])


def override_field(
    *,
    label: str | None = None,
    colour: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    **further: object,
) -> list[DynamicConfigValue]:
    """The properties that an override changes about one field.

    Args:
        label: Name that people see.
        colour: Name of a colour.
        unit: Id of a unit.
        decimals: Digits after the point.
        further: Other properties by their id, with `__` for the dot: `custom__fillOpacity=10`.
    """
    values: dict[str, object] = {}
    if label is not None:
        values["displayName"] = label
    if colour is not None:
        values["color"] = {"mode": FieldColorModeId.FIXED, "fixedColor": colour}
    if unit is not None:
        values["unit"] = unit
    if decimals is not None:
        values["decimals"] = decimals
    values |= {name.replace("__", "."): value for name, value in further.items()}
    return [DynamicConfigValue(name, value) for name, value in values.items()]


def fix_colour(colour: str) -> FieldColor:
    """One colour."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(colour)


def override_thresholds(*steps: Step) -> list[DynamicConfigValue]:
    """The properties by which an override colours one field by thresholds."""
    return [
        DynamicConfigValue("color", {"mode": FieldColorModeId.THRESHOLDS}),
        DynamicConfigValue("thresholds", make_thresholds(*steps).build()),
    ]

"""The quantities of a site as people read them: each has one label and one colour on every dashboard."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from grafana.source import style


class Quantity(NamedTuple):
    """A column of the site's kinds: its field, label, colour, and a meaning where the label does not say enough."""

    field: str
    label: str
    colour: str
    meaning: str = ""


PRODUCTION = Quantity("production", "Production", style.PRODUCTION)
LOAD = Quantity("load", "House", style.LOAD)
IMPORTED = Quantity("imported", "Import", style.IMPORTED)
EXPORTED = Quantity("exported", "Export", style.EXPORTED)
NET = Quantity("net", "Grid", style.IMPORTED)
BATTERY = Quantity("battery", "Battery", style.BATTERY)
DISCHARGED = Quantity("discharged", "Battery out", style.BATTERY)
CHARGED = Quantity("charged", "Battery in", "light-purple")
COST = Quantity("cost", "Cost", style.IMPORTED)
FEED_IN = Quantity("feed_in", "Feed-in", style.EXPORTED)
SAVINGS = Quantity("savings", "Savings", style.PRODUCTION)
SELF_CONSUMPTION = Quantity(
    "self_consumption",
    "Self-consumption",
    style.PRODUCTION,
    "Share of the production that was used at home and not sold.",
)
SELF_SUFFICIENCY = Quantity(
    "self_sufficiency", "Self-sufficiency", style.LOAD, "Share of what the house used that was not bought."
)

FLOWS = (PRODUCTION, LOAD, IMPORTED, EXPORTED)
MONEY = (COST, FEED_IN, SAVINGS)
SHARES = (SELF_CONSUMPTION, SELF_SUFFICIENCY)


class Overridable(Protocol):
    """A panel builder of the SDK that can change one field by its name."""

    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self:
        """Change the properties of that field."""
        ...


def list_columns(quantities: Sequence[Quantity], function: str = "") -> str:
    """The columns of a SELECT, named by their labels, each through an InfluxQL function if one is given."""
    inner = (f'{function}("{one.field}")' if function else f'"{one.field}"' for one in quantities)
    return ", ".join(f'{column} AS "{one.label}"' for column, one in zip(inner, quantities, strict=True))


def set_colours(panel: Overridable, quantities: Sequence[Quantity]) -> None:
    """Give each quantity of a panel its colour."""
    for one in quantities:
        panel.override_by_name(one.label, style.override_field(colour=one.colour))

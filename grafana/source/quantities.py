"""The quantities of a site as people read them: one word and one colour each, the same on every dashboard."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from grafana.source import parts


class Quantity(NamedTuple):
    """A column of the site's kinds: field, word for people, colour."""

    field: str
    label: str
    colour: str


PRODUCTION = Quantity("production", "Production", parts.PRODUCTION)
LOAD = Quantity("load", "House", parts.LOAD)
IMPORTED = Quantity("imported", "Import", parts.IMPORTED)
EXPORTED = Quantity("exported", "Export", parts.EXPORTED)
NET = Quantity("net", "Grid", parts.IMPORTED)
BATTERY = Quantity("battery", "Battery", parts.BATTERY)
DISCHARGED = Quantity("discharged", "Battery out", parts.BATTERY)
CHARGED = Quantity("charged", "Battery in", "light-purple")
COST = Quantity("cost", "Cost", parts.IMPORTED)
FEED_IN = Quantity("feed_in", "Feed-in", parts.EXPORTED)
SAVINGS = Quantity("savings", "Savings", parts.PRODUCTION)
SELF_CONSUMPTION = Quantity("self_consumption", "Self-consumption", parts.PRODUCTION)
AUTARKY = Quantity("autarky", "Autarky", parts.LOAD)

FLOWS = (PRODUCTION, LOAD, IMPORTED, EXPORTED)
MONEY = (COST, FEED_IN, SAVINGS)
SHARES = (SELF_CONSUMPTION, AUTARKY)


class Overridable(Protocol):
    """A panel builder of the SDK: what it changes about one field by its name."""

    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self:
        """Change how that field looks."""
        ...


def columns(quantities: Sequence[Quantity], function: str = "") -> str:
    """The columns of a SELECT under the words for people, each through an InfluxQL function if one is named."""
    inner = (f'{function}("{one.field}")' if function else f'"{one.field}"' for one in quantities)
    return ", ".join(f'{column} AS "{one.label}"' for column, one in zip(inner, quantities, strict=True))


def coloured(panel: Overridable, quantities: Sequence[Quantity]) -> None:
    """Give each quantity of a panel its colour."""
    for one in quantities:
        panel.override_by_name(one.label, parts.looks(colour=one.colour))

"""What is answered about meters and the household: each type is built by its route and published as it stands."""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.sites.load_reasons import LoadUnknown


@with_config(ConfigDict(extra="forbid"))
class MeterEntry(TypedDict):
    """One phase of one meter; what it does not report is absent. Units and signs: see the field dictionary."""

    meter: Annotated[
        str,
        Field(description="What it measures: `production`, `net-consumption`, `total-consumption`, `storage`."),
    ]
    phase: Annotated[str, Field(description="`a`, `b` or `c`.")]
    timestamp: Annotated[int, Field(description="Of its newest reading, milliseconds since 1970.")]
    age_seconds: Annotated[float, Field(description="Age of its newest reading, s.")]
    speaks: Annotated[bool, Field(description="Whether that reading still speaks of now, as in `/power`.")]
    power: NotRequired[Annotated[float, Field(description="W.")]]
    reactive_power: NotRequired[Annotated[float, Field(description="var.")]]
    apparent_power: NotRequired[Annotated[float, Field(description="VA.")]]
    voltage: NotRequired[Annotated[float, Field(description="V.")]]
    current: NotRequired[Annotated[float, Field(description="A.")]]
    power_factor: NotRequired[Annotated[float, Field(description="-1 to 1.")]]
    frequency: NotRequired[Annotated[float, Field(description="Hz.")]]
    measured: NotRequired[Annotated[float, Field(description="1 if its newest answer had a power, else 0.")]]


@with_config(ConfigDict(extra="forbid"))
class HouseholdPower(TypedDict):
    """The household now, in W, from the meters' values of the last two minutes; null is unknown.

    Of a system that is read through the cloud: the mean production of its newest interval, for three hours.
    """

    production_w: Annotated[float | None, Field(description="Generation, W.")]
    load_w: Annotated[float | None, Field(description="What the house uses, W.")]
    net_w: Annotated[float | None, Field(description="From the grid, W: + import, - export.")]
    imported_w: Annotated[float | None, Field(description="Bought, W, netted as the site is billed; at least 0.")]
    exported_w: Annotated[float | None, Field(description="Sold, W; at least 0.")]
    battery_w: Annotated[float | None, Field(description="W: + discharge, - charge.")]
    state_of_charge: Annotated[float | None, Field(description="How full the batteries are together, %.")]
    grid_mode: Annotated[
        str | None,
        Field(description="`connected`, `islanded` or `generator`; null without a system controller."),
    ]
    load_unknown: Annotated[
        LoadUnknown | None,
        Field(description="Why the load is null; null where it is known, or no meter of the consumption speaks."),
    ]
    timestamp: Annotated[
        int | None,
        Field(description="Of the newest value in it, milliseconds since 1970; null if there is none."),
    ]
    age_seconds: Annotated[float | None, Field(description="Age of that value, s.")]

"""What is answered about panels: each type is built by its route and published as it stands."""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.calendar.labels import WindowEntry
from receiver.calendar.windows import PanelEvery
from receiver.queries.panels import PanelState

_STATES = (
    "`producing`: its last report is less than half an hour old and gives more than 1 W. `silent`: it does not report, "
    "though the panels of its array do and give power. `gone`: it has not reported for 30 days, or never. `idle`: "
    "none of these; it is night, or it reports that it gives nothing."
)


@with_config(ConfigDict(extra="forbid"))
class PanelPlace(TypedDict):
    """What the sites file says of a panel; what it does not say is absent."""

    name: NotRequired[Annotated[str, Field(description="What people call it.")]]
    array: NotRequired[Annotated[str, Field(description="The group that it belongs to.")]]
    row: NotRequired[Annotated[int, Field(description="Its place in the array, from 1 at the top.")]]
    column: NotRequired[Annotated[int, Field(description="Its place in the row, from 1 at the left.")]]
    azimuth: NotRequired[Annotated[float, Field(description="Where it faces, in degrees clockwise from north.")]]
    tilt: NotRequired[Annotated[float, Field(description="Degrees from lying flat to upright.")]]


@with_config(ConfigDict(extra="forbid"))
class PanelData(PanelPlace):
    """Everything that the sites file says of a panel."""

    rated_watts: NotRequired[Annotated[float, Field(description="Its rating, W.")]]


@with_config(ConfigDict(extra="forbid"))
class InverterEntry(PanelPlace):
    """One panel and the latest values of its inverter; what it does not report is absent."""

    inverter: Annotated[str, Field(description="Serial of its inverter.")]
    timestamp: Annotated[
        int | None, Field(description="Of its last report, milliseconds since 1970; null if it never reported.")
    ]
    age_seconds: Annotated[float | None, Field(description="Age of its last report, s.")]
    speaks: Annotated[bool, Field(description="Whether that report still speaks of now, as in `/power`.")]
    state: Annotated[PanelState, Field(description=_STATES)]
    power: NotRequired[Annotated[float, Field(description="W, mean over its reporting interval.")]]
    max_power: NotRequired[Annotated[float, Field(description="W, the highest that the gateway has ever seen.")]]
    energy_lifetime: NotRequired[Annotated[float, Field(description="Wh.")]]
    energy_today: NotRequired[Annotated[float, Field(description="Wh, as the gateway counts it.")]]
    ac_voltage: NotRequired[Annotated[float, Field(description="V.")]]
    dc_voltage: NotRequired[Annotated[float, Field(description="V.")]]
    ac_current: NotRequired[Annotated[float, Field(description="A.")]]
    dc_current: NotRequired[Annotated[float, Field(description="A.")]]
    frequency: NotRequired[Annotated[float, Field(description="Hz.")]]
    temperature: NotRequired[Annotated[float, Field(description="Degrees Celsius.")]]
    rssi: NotRequired[Annotated[float, Field(description="Strength of the power-line signal.")]]
    interval: NotRequired[Annotated[float, Field(description="Length of its reporting interval, s.")]]


@with_config(ConfigDict(extra="forbid"))
class PanelDay(WindowEntry):
    """What a panel made of one day; null is unknown."""

    energy_wh: Annotated[float | None, Field(description="Its energy, Wh.")]
    peers_wh: Annotated[float | None, Field(description="Median of the other panels of its array, Wh.")]
    ratio: Annotated[float | None, Field(description="Its energy by that of its peers; 1 is as good as they are.")]
    peak_w: Annotated[float | None, Field(description="Its highest power, W.")]
    clipping_minutes: Annotated[float | None, Field(description="Minutes at the inverter's limit.")]
    coverage: Annotated[float, Field(description="Share of the whole day in which its power is known, 0 to 1.")]
    reports: Annotated[int, Field(description="How many reports of the day there are.")]
    last_timestamp: Annotated[int | None, Field(description="Of the last report of the day, milliseconds since 1970.")]


@with_config(ConfigDict(extra="forbid"))
class InverterDetail(InverterEntry):
    """One panel, its values now, and its last days."""

    peers_power: Annotated[
        float | None,
        Field(description="Median of what the other panels of its array give now, W; null if none of them reports."),
    ]
    first_timestamp: Annotated[
        int | None, Field(description="Of its oldest report that is kept, milliseconds since 1970.")
    ]
    panel: Annotated[PanelData, Field(description="What the sites file says of it.")]
    today: Annotated[
        PanelDay | None,
        Field(description="The day in progress; null before its first report. At most a quarter of an hour old."),
    ]
    days: Annotated[list[PanelDay], Field(description="The last 30 days, as far as they are known, the oldest first.")]


@with_config(ConfigDict(extra="forbid"))
class PanelEnergyEntry(PanelPlace):
    """One panel in all windows."""

    inverter: Annotated[str, Field(description="Serial of its inverter.")]
    total_wh: Annotated[float | None, Field(description="Of all windows together, Wh; null is unknown.")]
    ratio: Annotated[
        float | None,
        Field(
            description="Its energy by that of its peers over the days that the windows touch, as far as both are "
            "known; 1 is as good as they are."
        ),
    ]
    energy_wh: Annotated[list[float | None], Field(description="Of each window, in their order, Wh; null is unknown.")]
    coverage: Annotated[
        list[float], Field(description="Share of each whole window in which its power is known, 0 to 1.")
    ]


@with_config(ConfigDict(extra="forbid"))
class PanelEnergyTable(TypedDict):
    """The energy of all panels."""

    gateway: Annotated[str, Field(description="Serial.")]
    every: Annotated[PanelEvery, Field(description="Length of the windows.")]
    time_zone: Annotated[str, Field(description="The time zone whose calendar the windows follow.")]
    windows: Annotated[
        list[WindowEntry],
        Field(description="Every whole window that touches the range, up to the one in progress."),
    ]
    panels: Annotated[
        list[PanelEnergyEntry],
        Field(description="In the order that was asked for; those that belonged to the site in this time."),
    ]

"""The shapes of what is answered about panels, for the published schema."""

from pydantic import BaseModel, ConfigDict

from receiver.calendar.windows import PanelEvery
from receiver.queries.panels import State


class PanelPlace(BaseModel):
    """What the sites file says of a panel; absent is what it does not say.

    Attributes:
        name: What people call it.
        array: The group that it belongs to.
        row: Its place in the array, from 1 at the top.
        column: Its place in the row, from 1 at the left.
    """

    name: str = ""
    array: str = ""
    row: int = 0
    column: int = 0


class PanelData(PanelPlace):
    """All of it.

    Attributes:
        azimuth: Where it faces, in degrees clockwise from north.
        tilt: Degrees from lying flat to upright.
        rated_watts: Its rating, W.
    """

    azimuth: float = 0.0
    tilt: float = 0.0
    rated_watts: float = 0.0


class InverterEntry(PanelPlace):
    """One panel and the latest values of its inverter; absent is what it does not report.

    Attributes:
        inverter: Serial of its inverter.
        timestamp: Of its last report, milliseconds since 1970; null if it never reported.
        age_seconds: Its age.
        state: `producing`: its last report is less than half an hour old and gives more than 1 W. `silent`: it does
            not report, though the panels of its array do and give power. `ghost`: nothing was heard of it for 30 days,
            or ever. `idle`: none of these; at night, or it reports that it gives nothing.
        power: W, mean over its reporting interval.
        max_power: W, the highest that the gateway has ever seen.
        energy_lifetime: Wh.
        energy_today: Wh, as the gateway counts it.
        ac_voltage: V.
        dc_voltage: V.
        ac_current: A.
        dc_current: A.
        frequency: Hz.
        temperature: Degrees Celsius.
        rssi: Strength of the power-line signal.
        interval: s.
    """

    inverter: str
    timestamp: int | None
    age_seconds: float | None
    state: State
    power: float = 0.0
    max_power: float = 0.0
    energy_lifetime: float = 0.0
    energy_today: float = 0.0
    ac_voltage: float = 0.0
    dc_voltage: float = 0.0
    ac_current: float = 0.0
    dc_current: float = 0.0
    frequency: float = 0.0
    temperature: float = 0.0
    rssi: float = 0.0
    interval: float = 0.0


class WindowEntry(BaseModel):
    """One window of time, in milliseconds since 1970; `stop` is not part of it.

    Attributes:
        start: Where it begins.
        stop: Where it ends.
        local_start: `start` in the site's time zone, ISO 8601.
        in_progress: It has not ended yet.
    """

    start: int
    stop: int
    local_start: str
    in_progress: bool


class PanelDay(WindowEntry):
    """What a panel made of one day; null is unknown.

    Attributes:
        energy_wh: Wh.
        peers_wh: Median of the other panels of its array, Wh.
        ratio: Its energy by that of its peers; 1 is as good as they are.
        peak_w: Its highest power, W.
        clipping_minutes: Minutes at the inverter's limit.
        coverage: Share of the whole day in which its power is known, 0 to 1.
        reports: How many there were.
        last_timestamp: Of the day's last one, milliseconds since 1970.
    """

    model_config = ConfigDict(extra="forbid")

    energy_wh: float | None
    peers_wh: float | None
    ratio: float | None
    peak_w: float | None
    clipping_minutes: float | None
    coverage: float
    reports: int
    last_timestamp: int | None


class InverterDetail(InverterEntry):
    """One panel.

    Attributes:
        peers_power: Median of what the other panels of its array give now, W; null if none of them reports.
        first_timestamp: Of its oldest report that is kept, milliseconds since 1970.
        panel: What the sites file says of it.
        today: The day in progress; null before its first report. At most a quarter of an hour old.
        days: The last 30 days, as far as something is known of them, oldest first.
    """

    peers_power: float | None
    first_timestamp: int | None
    panel: PanelData
    today: PanelDay | None
    days: list[PanelDay]


class PanelEnergyEntry(PanelPlace):
    """One panel in all windows.

    Attributes:
        inverter: Serial of its inverter.
        total_wh: Of all windows together; null is unknown.
        energy_wh: Of each window, in their order; null is unknown.
        coverage: Share of each whole window in which its power is known, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid")

    inverter: str
    total_wh: float | None
    energy_wh: list[float | None]
    coverage: list[float]


class PanelEnergyTable(BaseModel):
    """The energy of all panels.

    Attributes:
        gateway: Serial.
        every: Length of the windows.
        time_zone: Whose calendar they follow.
        windows: Every whole window that touches the range, up to the one in progress.
        panels: By serial; those that belonged to the site in this time.
    """

    model_config = ConfigDict(extra="forbid")

    gateway: str
    every: PanelEvery
    time_zone: str
    windows: list[WindowEntry]
    panels: list[PanelEnergyEntry]

"""What is answered about gateways: each type is built by its route and published as it stands."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.api.meter_answers import HouseholdPower
from receiver.queries.energy_window import EnergyWindow
from receiver.sites.zones import ZoneSource
from shared.readings import FieldValue


@with_config(ConfigDict(extra="forbid"))
class GatewayEntry(TypedDict):
    """One gateway in the list. Times are in milliseconds since 1970."""

    gateway: Annotated[str, Field(description="Serial.")]
    name: Annotated[str | None, Field(description="As the sites file says, or null.")]
    time_zone: Annotated[str, Field(description="IANA name of the zone whose days and hours count.")]
    last_timestamp: Annotated[int, Field(description="Newest reading of any kind, milliseconds since 1970.")]
    age_seconds: Annotated[float, Field(description="Age of the newest reading, s.")]
    firmware: Annotated[str | None, Field(description="As the gateway states it.")]
    role: Annotated[str | None, Field(description="Rights of the scraper's login.")]
    inverters: Annotated[int, Field(description="How many inverters have reported.")]
    meters: Annotated[int, Field(description="How many phases of meters have reported.")]
    time_zone_source: Annotated[
        ZoneSource,
        Field(description="Who says the time zone: the sites file, else the gateway, else the receiver's machine."),
    ]
    currency: Annotated[
        str | None, Field(description="Of amounts of money, as the sites file says (e.g. EUR), or null.")
    ]
    source: Annotated[
        Literal["gateway", "cloud"],
        Field(description="Where its readings come from: a gateway at home, or intervals of Enphase's cloud."),
    ]


@with_config(ConfigDict(extra="forbid"))
class InverterStates(TypedDict):
    """How many panels are in each state; see `/inverters`."""

    producing: int
    idle: int
    silent: int
    gone: int


@with_config(ConfigDict(extra="forbid"))
class DoubtedPowersEntry(TypedDict):
    """Mean powers of the last whole hour that cannot both be right."""

    measured_w: Annotated[float, Field(description="By the production meter, W.")]
    reported_w: Annotated[float, Field(description="By all inverters together, W.")]


@with_config(ConfigDict(extra="forbid"))
class GatewayStatus(GatewayEntry):
    """How one gateway and its scraper are, and what the household does now and did today."""

    status: Annotated[
        dict[str, FieldValue],
        Field(description="Latest fields of kind `gateway`, as the scraper sent them (see the field dictionary)."),
    ]
    status_age_seconds: Annotated[
        float | None, Field(description="Age of `status`, s; null if the scraper has sent none.")
    ]
    delivery_lag_seconds: Annotated[
        float | None,
        Field(
            description="How old the newest reading was when it arrived, s; null until a batch has come since the "
            "receiver started."
        ),
    ]
    open_gap_since: Annotated[
        int | None, Field(description="Start of a gap that has not ended, milliseconds since 1970, or null.")
    ]
    meter_doubts: Annotated[
        list[str], Field(description="Sentences about meters that cannot be right, with the remedy.")
    ]
    doubted_powers: Annotated[
        list[DoubtedPowersEntry],
        Field(description="What those sentences rest on, in their order, for other languages."),
    ]
    meter_names: Annotated[list[str], Field(description="The meters, with the roles of the sites file.")]
    inverter_states: Annotated[InverterStates, Field(description="How many panels produce, and how many do not.")]
    power: Annotated[HouseholdPower, Field(description="The household now.")]
    today: Annotated[
        EnergyWindow, Field(description="Energy since the midnight of the site, at most a minute or so old.")
    ]

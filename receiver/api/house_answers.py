"""What is answered about sites of several gateways: each type is built by its route and published as it stands."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.api.meter_answers import HouseholdPower
from receiver.calendar.windows import Every
from receiver.queries.energy_window import EnergyWindow


@with_config(ConfigDict(extra="forbid"))
class SilentGateway(TypedDict):
    """A gateway of a site that is silent: what the whole site does is unknown until it is back."""

    gateway: Annotated[str, Field(description="Serial.")]
    name: Annotated[str | None, Field(description="As the sites file says, or null.")]
    since: Annotated[int | None, Field(description="Milliseconds since 1970; null if it was never heard of.")]
    sentence: Annotated[str, Field(description="The same for people.")]


@with_config(ConfigDict(extra="forbid"))
class HouseGatewayEntry(TypedDict):
    """One gateway of a site."""

    gateway: Annotated[str, Field(description="Serial.")]
    name: Annotated[str | None, Field(description="As the sites file says, or null.")]
    last_timestamp: Annotated[
        int | None, Field(description="Newest reading of any kind, milliseconds since 1970; null for none.")
    ]
    age_seconds: Annotated[float | None, Field(description="Age of the newest reading, s.")]


@with_config(ConfigDict(extra="forbid"))
class HouseEntry(TypedDict):
    """One site in the list."""

    site: Annotated[str, Field(description="Its name in the sites file.")]
    time_zone: Annotated[
        str | None, Field(description="IANA name of its zone; null where its gateways say different zones.")
    ]
    currency: Annotated[
        str | None,
        Field(description="Of its prices, by ISO 4217, as the sites file says of all of its tariffs, or null."),
    ]
    gateways: Annotated[list[HouseGatewayEntry], Field(description="By serial.")]
    silent: Annotated[list[SilentGateway], Field(description="Those of them that are silent.")]


@with_config(ConfigDict(extra="forbid"))
class HousePower(HouseholdPower):
    """The whole site now, in W; null is unknown."""

    silent: Annotated[list[SilentGateway], Field(description="Gateways that are silent, for which sums are null.")]


class HouseEnergyHead(TypedDict):
    """What stands before the windows of a `HouseEnergyTable`."""

    site: Annotated[str, Field(description="Its name in the sites file.")]
    every: Annotated[Every, Field(description="Length of the windows.")]
    time_zone: Annotated[str, Field(description="The time zone whose calendar the windows follow.")]
    total: Annotated[EnergyWindow, Field(description="The sum over all windows, with what gaps between two gave.")]
    silent: Annotated[
        list[SilentGateway], Field(description="Gateways that are silent: from then on the sums are unknown.")
    ]


@with_config(ConfigDict(extra="forbid"))
class HouseEnergyTable(HouseEnergyHead):
    """The energy of a site over a range."""

    windows: Annotated[
        list[EnergyWindow],
        Field(description="Every whole window that touches the range, up to the one in progress."),
    ]

"""The shapes of what is answered about gateways, for the published schema."""

from pydantic import BaseModel, ConfigDict

from receiver.api.energy import EnergyWindow
from receiver.api.meters import HouseholdPower


class GatewayEntry(BaseModel):
    """One gateway in the list. Times in milliseconds since 1970; name and time zone as the sites file says.

    Attributes:
        gateway: Serial.
        name: As the sites file says, or null.
        time_zone: IANA name, as the sites file says, or null (then UTC).
        last_timestamp: Newest reading of any kind.
        age_seconds: Its age.
        firmware: As the gateway states it.
        role: Rights of the scraper's login.
        inverters: How many have reported.
        meters: How many phases of meters have.
    """

    model_config = ConfigDict(extra="forbid")

    gateway: str
    name: str | None
    time_zone: str | None
    last_timestamp: int
    age_seconds: float
    firmware: str | None
    role: str | None
    inverters: int
    meters: int


class InverterStates(BaseModel):
    """How many panels are in each state; see `/inverters`."""

    model_config = ConfigDict(extra="forbid")

    producing: int
    idle: int
    silent: int
    ghost: int


class GatewayStatus(GatewayEntry):
    """How one gateway and its scraper are, and what the household does now and did today.

    Attributes:
        status: Latest fields of kind `gateway`, as the scraper sent them (see the field dictionary).
        status_age_seconds: Age of `status`; null if the scraper has sent none.
        delivery_lag_seconds: How old the newest reading was when it arrived; null until a batch has come since start.
        open_gap_since: Start of a gap that has not ended, milliseconds since 1970, or null.
        meter_names: The meters, with the roles of the sites file.
        inverter_states: How many panels produce, and how many do not.
        power: The household now.
        today: Energy since the midnight of the site, at most a minute or so old.
    """

    status: dict[str, float | str]
    status_age_seconds: float | None
    delivery_lag_seconds: float | None
    open_gap_since: int | None
    meter_names: list[str]
    inverter_states: InverterStates
    power: HouseholdPower
    today: EnergyWindow

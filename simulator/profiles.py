"""The gateways that can be simulated: a firmware, a hardware, and the house behind it."""

from dataclasses import dataclass, replace

from simulator.house.profiles import PROFILES as HOUSES


@dataclass(frozen=True, slots=True)
class GatewayProfile:
    """One kind of gateway.

    Attributes:
        name: what the command line calls it.
        what: one line for people.
        firmware: as in `/info`: a letter and dotted integers.
        serial: 12 digits.
        part_number: of the hardware.
        house: name of a house in `simulator.house.profiles`.
        interval_s: how often an inverter reports, seconds.
        metered: the hardware has current-transformer inputs (`imeter`).
        cts_enabled: transformers are installed and enabled.
    """

    name: str
    what: str
    firmware: str
    serial: str
    part_number: str
    house: str = "three-phase"
    interval_s: int = 900
    metered: bool = True
    cts_enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse what no gateway can be.

        Raises:
            ValueError: unknown house, or a serial that is not 12 digits.
        """
        if self.house not in HOUSES:
            raise ValueError(f"no house {self.house!r}; there are: {', '.join(sorted(HOUSES))}")
        if len(self.serial) != 12 or not self.serial.isdecimal():
            raise ValueError(f"a gateway's serial is 12 digits, not {self.serial!r}")

    @property
    def version(self) -> tuple[int, ...]:
        """The firmware as integers, for comparing."""
        return tuple(int(part) for part in self.firmware[1:].split("."))

    @property
    def uses_tokens(self) -> bool:
        """Tokens over https; else digest over http."""
        return self.version >= (7,)


PROFILES: dict[str, GatewayProfile] = {
    profile.name: profile
    for profile in (
        GatewayProfile("firmware-5", "digest login over http", "D5.0.62", "121621000501", "800-00555-r03"),
        GatewayProfile(
            "firmware-7", "token login over https", "D7.6.175", "122238000701", "800-00654-r08", interval_s=300
        ),
        GatewayProfile("firmware-8", "with device_data", "D8.2.4345", "122446000801", "800-00649-r01"),
        GatewayProfile("firmware-8.3", "with the oddities of 8.3", "D8.3.5433", "122503000831", "800-00649-r01"),
        GatewayProfile(
            "battery", "firmware 8 with a battery", "D8.2.4345", "202330000901", "800-00664-r05", house="battery"
        ),
        GatewayProfile(
            "no-ct",
            "hardware without meters",
            "D7.6.175",
            "122017000711",
            "800-00553-r03",
            interval_s=300,
            metered=False,
            cts_enabled=False,
        ),
        GatewayProfile(
            "disabled-ct",
            "meters without transformers",
            "D8.2.4345",
            "122301000821",
            "800-00654-r08",
            cts_enabled=False,
        ),
    )
}


def find_profile(name: str, house: str | None = None) -> GatewayProfile:
    """A profile by name, in another house if wanted.

    Raises:
        ValueError: no such profile or house; the message lists those that exist.
    """
    if name not in PROFILES:
        raise ValueError(f"no gateway profile {name!r}; there are: {', '.join(sorted(PROFILES))}")
    profile = PROFILES[name]
    return profile if house is None else replace(profile, house=house)

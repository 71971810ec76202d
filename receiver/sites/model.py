"""What may stand in the sites file. Everything is optional; what is given is checked, and unknown keys are refused.

Names, time zone, the names and arrays of panels and the corrections of meters are shown with the latest values. These
and netting, tariffs and the billing day make the roll-ups what they are. Location and the panels' places and ratings
are checked here for the views that need them.
"""

import functools
import re
import zoneinfo
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
)

from receiver.calendar.boundaries import list_windows
from receiver.calendar.windows import find_every
from receiver.energy.site import Netting
from receiver.sites.output_keys import SiteEmonCms, SitePvOutput
from receiver.sites.part import SitePart, make_sentence_error
from receiver.sites.tariffs import parse_hourly_rates
from shared.cloud_identity import PREFIX
from shared.keys import is_serial

IGNORE = "ignore"
"""The role of a meter that is left out."""

Role: TypeAlias = Literal["production", "pv3p", "net-consumption", "total-consumption", "storage", "ignore"]
"""The meters that `receiver.energy.site` knows, and `IGNORE`."""

_TAG = re.compile(r"[0-9A-Za-z._-]{1,64}")  # as the tags of readings


@functools.cache
def list_time_zones() -> frozenset[str]:
    """The IANA names that are known here."""
    return frozenset(zoneinfo.available_timezones())


def _check_zone(name: str) -> str:
    if name not in list_time_zones():
        raise ValueError("no such zone")
    return name


def _check_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters")
    return text


def _check_serial(text: str) -> str:
    if not is_serial(text):
        raise make_sentence_error("must be a serial number: digits, letters and '-'")
    return text


def _check_tag(text: str) -> str:
    if _TAG.fullmatch(text) is None:
        raise make_sentence_error("must be a name as the readings have it: letters, digits, '.', '_' and '-'")
    return text


def _check_in_address(text: str) -> str:
    if "/" in text:
        raise make_sentence_error("must have no /, for it stands in addresses")
    return text


def _parse_date(text: Any) -> date:
    if not isinstance(text, str):
        raise ValueError("no text")  # noqa: TRY004 (pydantic takes a TypeError for a mistake of ours)
    return date.fromisoformat(text)


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_check_printable)
]
Serial = Annotated[str, AfterValidator(_check_serial)]
Tag = Annotated[str, AfterValidator(_check_tag)]
Price = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class Location(SitePart):
    """Where the site is, in degrees; north and east are positive."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class MeterCorrection(SitePart):
    """How a meter differs from what the gateway says of it.

    Attributes:
        role: What it really measures; None: what the gateway says.
        reversed: Phases whose current transformer was clamped on backwards.
    """

    role: Role | None = None
    reversed: frozenset[Literal["a", "b", "c"]] = frozenset()


class SitePanel(SitePart):
    """One panel, by the serial of its inverter.

    Attributes:
        name: What people call it.
        array: The name of the group of panels that it belongs to.
        row: Its place in the array, counted from 1 at the top.
        column: Its place in the row, counted from 1 at the left.
        azimuth: Where it faces, in degrees clockwise from north (180 is south).
        tilt: Degrees from lying flat (0) to upright (90).
        rated_watts: Its rating under standard test conditions, W.
    """

    name: Name | None = None
    array: Name | None = None
    row: int | None = Field(None, ge=1, le=1000)
    column: int | None = Field(None, ge=1, le=1000)
    azimuth: float | None = Field(None, ge=0, le=360, allow_inf_nan=False)
    tilt: float | None = Field(None, ge=0, le=90, allow_inf_nan=False)
    rated_watts: float | None = Field(None, gt=0, le=10_000, allow_inf_nan=False)


class Tariff(SitePart):
    """Prices per kWh, in the currency of the bill.

    Attributes:
        valid_from: First day, in the site's time zone; it holds until the next tariff begins.
        rates: Price of a bought kWh in each of the 24 hours of the day.
        feed_in: Price of a sold kWh; None is unknown.
    """

    valid_from: Annotated[date, BeforeValidator(_parse_date)]
    rates: Annotated[tuple[Price, ...], BeforeValidator(parse_hourly_rates)]
    feed_in: Price | None = None


class SiteOutputs(SitePart):
    """Where the values of a gateway go.

    Attributes:
        lines: Whether its readings are mirrored by line protocol.
        mqtt: Whether its states are published at a broker.
        emoncms: How they are named at EmonCMS; None: they do not go there.
        pvoutput: Its system at PVOutput; None: they do not go there.
    """

    lines: bool = True
    mqtt: bool = True
    emoncms: SiteEmonCms | None = None
    pvoutput: SitePvOutput | None = None


class Site(SitePart):
    """What the owner says about one gateway.

    Attributes:
        name: What people call the place.
        site: What people call the site that it forms together with all gateways of the same `site`; None for none.
        time_zone: IANA name; None where the owner says none.
        location: Where it is.
        netting: How import and export are billed: netted over the phases (`sum`), or each phase (`phases`).
        meters: Corrections, by the meter's name at the gateway.
        panels: By the serial of the inverter.
        tariffs: Ascending by `valid_from`.
        currency: Of their prices, by its code of ISO 4217; it names amounts and changes none.
        outputs: Where its values go, of what the settings configure.
        billing_day: The day of the month on which a new billing month begins; every month has it.
        cloud: The same system as it is read through the cloud, by its name at the receiver: it fills in what was not
            measured. None for none.
    """

    name: Name | None = None
    site: Annotated[Name, AfterValidator(_check_in_address)] | None = None
    time_zone: Annotated[str, AfterValidator(_check_zone)] | None = None
    location: Location | None = None
    netting: Netting = "sum"
    meters: dict[Tag, MeterCorrection] = Field(default_factory=dict)
    panels: dict[Tag, SitePanel] = Field(default_factory=dict)
    tariffs: tuple[Tariff, ...] = ()
    currency: Annotated[str, StringConstraints(pattern=r"\A[A-Z]{3}\z")] | None = None
    outputs: SiteOutputs = SiteOutputs()
    billing_day: int = Field(1, ge=1, le=28)
    cloud: Annotated[str, StringConstraints(pattern=rf"\A{PREFIX}[1-9][0-9]{{0,19}}\z")] | None = None

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone; UTC where none is given."""
        return zoneinfo.ZoneInfo(self.time_zone or "UTC")

    def list_windows(self, kind: str, start: int, stop: int) -> list[int]:
        """The boundaries (UTC milliseconds) of every window of a stored kind that touches [start, stop), at least two.

        Raises:
            ValueError: Nothing is in [start, stop), or the kind has no such windows.
        """
        return list_windows(find_every(kind), start, stop, self.zone, billing_day=self.billing_day)

    @field_validator("meters")
    @classmethod
    def _check_meter_roles(cls, meters: dict[str, MeterCorrection]) -> dict[str, MeterCorrection]:
        """Two meters of one role would be one series with two values."""
        owner: dict[str, str] = {}
        for meter, correction in meters.items():
            role = correction.role or meter
            if role == IGNORE:
                continue
            # A meter that is not listed keeps its own name, and would clash with one that is renamed to it.
            other = owner.setdefault(role, meter) if role in meters or role == meter else role
            if other != meter:
                raise make_sentence_error(
                    f"{meter} and {other} would both be {role}: give {other} another role too, or 'role: {IGNORE}'"
                )
        return meters

    @field_validator("panels")
    @classmethod
    def _check_panel_places(cls, panels: dict[str, SitePanel]) -> dict[str, SitePanel]:
        serials_by_position: dict[tuple[str | None, int, int], str] = {}
        for serial, panel in panels.items():
            if (panel.row is None) != (panel.column is None):
                raise make_sentence_error(f"{serial} needs both row and column, or neither")
            if panel.row is None or panel.column is None:
                continue
            other = serials_by_position.setdefault((panel.array, panel.row, panel.column), serial)
            if other != serial:
                raise make_sentence_error(
                    f"{serial} and {other} have the same place: change array, row or column of one"
                )
        return panels

    @field_validator("tariffs")
    @classmethod
    def _sort_tariffs(cls, tariffs: tuple[Tariff, ...]) -> tuple[Tariff, ...]:
        if len({tariff.valid_from for tariff in tariffs}) < len(tariffs):
            raise make_sentence_error("two of them begin on the same day: change valid_from of one")
        return tuple(sorted(tariffs, key=lambda tariff: tariff.valid_from))


Sites: TypeAlias = Mapping[str, Site]
"""By serial of the gateway."""

NO_SITES: Sites = MappingProxyType({})
NO_SITE = Site()

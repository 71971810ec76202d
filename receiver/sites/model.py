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
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from receiver.calendar.boundaries import list_windows
from receiver.calendar.windows import find_every
from receiver.energy.site import Netting
from receiver.sites.tariffs import parse_hourly_rates
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


def make_sentence_error(text: str) -> PydanticCustomError:
    """An error whose message is shown as it is."""
    return PydanticCustomError("sentence", "{text}", {"text": text})


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


class _Part(BaseModel):
    """A mapping in the file: unknown keys are refused, a key without a value counts as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:
        if data is None:
            return {}
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}
        return data


class Location(_Part):
    """Where the site is, in degrees; north and east are positive."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class MeterCorrection(_Part):
    """How a meter differs from what the gateway says of it.

    Attributes:
        role: What it really measures; None: what the gateway says.
        reversed: Phases whose current transformer was clamped on backwards.
    """

    role: Role | None = None
    reversed: frozenset[Literal["a", "b", "c"]] = frozenset()


class SitePanel(_Part):
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


class Tariff(_Part):
    """Prices per kWh, in the currency of the bill.

    Attributes:
        valid_from: First day, in the site's time zone; it holds until the next tariff begins.
        rates: Price of a bought kWh in each of the 24 hours of the day.
        feed_in: Price of a sold kWh; None is unknown.
    """

    valid_from: Annotated[date, BeforeValidator(_parse_date)]
    rates: Annotated[tuple[Price, ...], BeforeValidator(parse_hourly_rates)]
    feed_in: Price | None = None


class SiteOutputs(_Part):
    """Where the values of a gateway go.

    Attributes:
        lines: Whether its readings are mirrored by line protocol.
    """

    lines: bool = True


class Site(_Part):
    """What the owner says about one gateway.

    Attributes:
        name: What people call the place.
        time_zone: IANA name; None where the owner says none.
        location: Where it is.
        netting: How import and export are billed: netted over the phases (`sum`), or each phase (`phases`).
        meters: Corrections, by the meter's name at the gateway.
        panels: By the serial of the inverter.
        tariffs: Ascending by `valid_from`.
    outputs: SiteOutputs = SiteOutputs()

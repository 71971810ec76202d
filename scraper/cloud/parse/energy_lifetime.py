"""`energy_lifetime` with `production=all`: whole local days of inverters and of meters, never mixed. Pure."""

from datetime import date, timedelta
from typing import NamedTuple

from scraper.cloud.parse.replies import ReplyMeta, read_amount, read_meta, require_object
from scraper.errors import BadReplyError
from scraper.gateway.parse.values import Document

_WHERE = "energy_lifetime"
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


class DayEnergies(NamedTuple):
    """One reply.

    Attributes:
        meta: How far its data reach.
        micros: Local day to what the inverters made (Wh).
        meters: Local day to what the meters counted (Wh), from their first full day on.
    """

    meta: ReplyMeta
    micros: dict[date, float]
    meters: dict[date, float]


def parse_energy_lifetime(reply: object) -> DayEnergies:
    """Raises BadReplyError."""
    document = require_object(reply, _WHERE)
    first = _read_day(document.get("start_date"))
    if first is None:
        raise BadReplyError(f"the cloud's reply for {_WHERE} does not say when it begins; trying again later")
    began = _read_day(document.get("meter_start_date"))
    meters = _list_days(document, "meter_production", first)
    merged = _list_days(document, "production", first) if began is None else {}
    return DayEnergies(
        read_meta(document),
        _list_days(document, "micro_production", first) or merged,
        {} if began is None else {day: energy for day, energy in meters.items() if day >= began},
    )


def _list_days(document: Document, key: str, first: date) -> dict[date, float]:
    found = document.get(key)
    entries = found if isinstance(found, list) else []
    energies = ((first + timedelta(days=place), read_amount(entry)) for place, entry in enumerate(entries))
    return {day: energy for day, energy in energies if energy is not None}


def _read_day(value: object) -> date | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return day if day is not None and _FIRST_YEAR <= day.year <= _LAST_YEAR else None

"""The household at this moment, from the latest values that still speak of it. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from receiver.energy.site import PRODUCTION, SitePower, has_meter, site_power
from receiver.rollups.energy import number
from receiver.rollups.panels import SILENT_MS
from receiver.sites.corrections import correct
from receiver.sites.model import Site
from receiver.stores.base import Latest
from shared.fields import MAX_GAP_MS


class PowerNow(NamedTuple):
    """The site now.

    Attributes:
        power: In W; what is not known of now is None.
        timestamp: Of the newest reading that it rests on (UTC milliseconds); None if there is none.
    """

    power: SitePower
    timestamp: int | None


def power_now(meters: Sequence[Latest], inverters: Sequence[Latest], site: Site, now_ms: int) -> PowerNow:
    """The site from its meters' values of the last two minutes; from the inverters' reports where no meter sees them.

    Args:
        meters: Latest values of kind `meter`, as stored.
        inverters: Latest values of kind `inverter`.
        site: Roles and signs of meters; netting.
        now_ms: UTC milliseconds.
    """
    speaking = [entry for entry in correct(meters, site) if now_ms - entry.timestamp <= MAX_GAP_MS]
    powers = {
        (entry.tags["meter"], entry.tags["phase"]): watts
        for entry in speaking
        if (watts := number(entry.fields, "power")) is not None
    }
    used = speaking
    reported = None
    if not has_meter(powers, PRODUCTION):
        heard = [entry for entry in inverters if now_ms - entry.timestamp <= SILENT_MS]
        known = [watts for entry in heard if (watts := number(entry.fields, "power")) is not None]
        reported = sum(known) if known else None
        used = used or heard
    power = site_power(powers, inverters=reported, netting=site.netting)
    return PowerNow(power, max((entry.timestamp for entry in used), default=None))

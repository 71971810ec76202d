"""A system that is read through the cloud, at this moment: what it made in the newest interval that is known. Pure.

The cloud is minutes to hours behind: what is said has the age of its interval, and after three hours nothing is said.
Only the production is given: of a site without a meter of this second nothing else can be of the same time.
"""

from collections.abc import Sequence

from receiver.energy.site import SitePower
from receiver.sites.household import HouseholdNow
from receiver.stores.base import Latest
from shared.units import HOUR_MS

SPEAKS_MS = 3 * HOUR_MS
"""An interval speaks of now for this long after its end (milliseconds): passes are up to two and a half hours apart."""
KIND = "interval"
_PRODUCTION = ("inv", "met")
"""Sources of production; of intervals that end together the last of these counts."""


def describe_system(intervals: Sequence[Latest], now_ms: int) -> HouseholdNow:
    """The system now (UTC milliseconds), from its latest values of kind `interval`."""
    known = [entry for entry in intervals if _is_of_production(entry) and now_ms - entry.timestamp <= SPEAKS_MS]
    newest = max(known, key=_rank, default=None)
    power = newest.fields["power"] if newest else None
    production = power if isinstance(power, float) else None
    site = SitePower(production, load=None, net=None, imported=None, exported=None, battery=None)
    return HouseholdNow(site, {}, None, newest.timestamp if newest else None)


def _is_of_production(entry: Latest) -> bool:
    tags = entry.tags
    is_total = tags["phase"] == "total" and tags["source"] in _PRODUCTION and tags["revision"].isdecimal()
    return is_total and "power" in entry.fields


def _rank(entry: Latest) -> tuple[int, int, int]:
    """The newest first; of the same end the meters before the inverters, and the last correction."""
    return entry.timestamp, _PRODUCTION.index(entry.tags["source"]), int(entry.tags["revision"])

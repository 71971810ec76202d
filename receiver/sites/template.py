"""A sites file to begin with, made of what was seen: it loads as it is, and says what else may be written. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_HEAD = """\
# What envoy-receiver should know about your gateways. Set RECEIVER_SITES_FILE to the path of this file; the receiver
# reads it again within seconds when it changes, and `envoy-receiver check` says whether it is fine.
# Lines that begin with # are examples: remove the # and put in your own. Everything may be left out.
"""
_SITE = """\
  # name: Home
  # site: Home                      # the same on each gateway of one house: the page then shows their sum, too
  # time_zone: Europe/Berlin        # IANA name; without it the zone that the gateway names
  # location: {latitude: 52.52, longitude: 13.40}
  netting: sum                      # as billed: sum (netted over the phases) or phases (each phase by itself)
"""
_METERS = """\
  # Meters that are set up wrongly: role is what it really measures (production, pv3p, net-consumption,
  # total-consumption, storage, or ignore to leave it out); reversed lists the phases whose transformer was clamped on
  # backwards.
  meters:
"""
_PANELS = """\
  # By serial of the inverter, e.g.
  # {name: East 1, array: Garage, row: 1, column: 1, azimuth: 90, tilt: 35, rated_watts: 410}
  panels:
"""
_TARIFFS = """\
  # tariffs:                        # prices per kWh
  #   - valid_from: 2026-01-01
  #     rates: {6-22: 0.34, 22-6: 0.21}
  #     feed_in: 0.08
  # currency: EUR                   # of these prices: three capital letters
  # billing_day: 1                  # day of the month on which a billing month begins, 1 to 28
"""


class SeenGateway(NamedTuple):
    """What the store holds of one gateway: serials of its inverters, and the phases of each of its meters."""

    gateway: str
    inverters: Sequence[str]
    meters: Mapping[str, Sequence[str]]


def write_template(seen: Iterable[SeenGateway]) -> str:
    """The text of a sites file with one entry for each gateway."""
    return _HEAD + "".join(_write_entry(gateway) for gateway in seen)


def _write_entry(seen: SeenGateway) -> str:
    meters = [
        f'    "{meter}": {{reversed: []}}    # phases: {", ".join(phases)}' for meter, phases in seen.meters.items()
    ]
    panels = [f'    "{inverter}": {{}}' for inverter in seen.inverters]
    return (
        f'\n"{seen.gateway}":\n{_SITE}'
        + (_METERS + "\n".join(meters) + "\n" if meters else "")
        + (_PANELS + "\n".join(panels) + "\n" if panels else "")
        + _TARIFFS
    )

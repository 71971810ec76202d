"""The values that SolarNetwork's fields stand for, at each end of an interval. Pure.

A value that is null or absent is left out; what SolarNetwork computes otherwise than the name says (`W` of meters is
the mean over the channels, not their sum) is computed as it does, because its users compare.
"""

from collections.abc import Mapping
from statistics import fmean

from scraper.cloud.parse.production_micro import MicroReply
from scraper.cloud.parse.rgm_stats import CHANNELS, ChannelShare, MeterReply

Values = dict[int, dict[str, float]]
"""End of the interval (epoch seconds) to field to value."""

_POWERS = {1: "PWA", 2: "PWB", 3: "PWC"}
_ENERGIES = {1: "PWhExpA", 2: "PWhExpB", 3: "PWhExpC"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "inv": {"DevicesReporting": "Devices reporting", "W": "Active power", "Wh": "Active energy"},
    "met": {
        "DevicesReporting": "Devices reporting",
        "W": "Active power",
        "WhExp": "Active energy exported",
        **{name: f"Phase active power - {name[-1]}" for name in _POWERS.values()},
        **{name: f"Phase active energy exported - {name[-1]}" for name in _ENERGIES.values()},
    },
}
"""Device type to its fields, with their names for people."""


def list_micro_values(reply: MicroReply) -> Values:
    """Fields of type `inv`."""
    return {
        one.end_s: _leave_out({"DevicesReporting": one.devices, "W": one.power_w, "Wh": one.energy_wh})
        for one in reply.intervals
    }


def list_meter_values(reply: MeterReply) -> Values:
    """Fields of type `met`; a channel's values count at ends that the meters' own list has."""
    at: dict[int, list[ChannelShare]] = {one.end_s: [] for one in reply.intervals}
    for meter in reply.channels:
        for channel in meter:
            if channel.end_s in at:
                at[channel.end_s].append(channel)
    return {
        one.end_s: _leave_out(
            {"DevicesReporting": one.devices or 0, "W": _compute_mean(at[one.end_s]), "WhExp": one.energy_wh}
            | _list_phases(at[one.end_s])
        )
        for one in reply.intervals
    }


def _compute_mean(channels: list[ChannelShare]) -> int | None:
    powers = [one.power_w for one in channels if one.power_w is not None]
    return int(fmean(powers)) if powers else None


def _list_phases(channels: list[ChannelShare]) -> dict[str, float | None]:
    """Of each channel what the first meter that has it says."""
    found: dict[str, float | None] = {}
    for number in CHANNELS:
        first = next((one for one in channels if one.channel == number), None)
        if first is not None:
            found |= {_POWERS[number]: first.power_w, _ENERGIES[number]: first.energy_wh}
    return found


def _leave_out(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}

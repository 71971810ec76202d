"""Intervals of every type in one shape: the sum, and phases where they are known. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from scraper.cloud.parse.production_micro import MicroReply
from scraper.cloud.parse.replies import ReplyMeta
from scraper.cloud.parse.rgm_stats import ChannelShare, MeterReply

TOTAL = "total"
PHASES = {1: "a", 2: "b", 3: "c"}
"""Channel of a meter to phase."""
_ROUNDING_WH = 0.5
"""The cloud gives whole watt hours: each number may be off by so much."""


class Amount(NamedTuple):
    """One interval.

    Attributes:
        end_s: Its end, epoch seconds.
        devices: Devices whose share is in it; None where the cloud does not say.
        energies: Phase to energy (Wh); `total` is always there.
        powers: Phase to power near the end (W), where it is known; `total` is the sum of the channels.
    """

    end_s: int
    devices: int | None
    energies: Mapping[str, float]
    powers: Mapping[str, float]


class Amounts(NamedTuple):
    """What one reply says.

    Attributes:
        devices_total: Devices of the system.
        meta: How far its data reach.
        intervals: The oldest first. One without energy is none.
    """

    devices_total: int | None
    meta: ReplyMeta
    intervals: tuple[Amount, ...]


def take_micros(reply: MicroReply) -> Amounts:
    """What all inverters made. The cloud's power is the same number again, rounded otherwise."""
    intervals = tuple(
        Amount(one.end_s, one.devices, {TOTAL: one.energy_wh}, {})
        for one in reply.intervals
        if one.energy_wh is not None
    )
    return Amounts(reply.devices_total, reply.meta, intervals)


def take_meters(reply: MeterReply) -> Amounts:
    """What the meters counted. Phases are given where they add up to the total: ghosts were seen in unused channels."""
    channels: defaultdict[int, list[ChannelShare]] = defaultdict(list)
    for meter in reply.channels:
        for channel in meter:
            channels[channel.end_s].append(channel)
    intervals = []
    for one in reply.intervals:
        if one.energy_wh is not None:
            energies, powers = _sum_channels(channels[one.end_s], one.energy_wh)
            intervals.append(Amount(one.end_s, one.devices, {TOTAL: one.energy_wh, **energies}, powers))
    return Amounts(reply.devices_total, reply.meta, tuple(intervals))


def _sum_channels(channels: list[ChannelShare], total_wh: float) -> tuple[dict[str, float], dict[str, float]]:
    """Energies and powers of the phases, summed over the meters; none of both if they contradict the total."""
    energies: defaultdict[str, float] = defaultdict(float)
    powers: defaultdict[str, float] = defaultdict(float)
    unknown = set()
    used = [one for one in channels if one.energy_wh is not None]
    for one in used:
        energies[PHASES[one.channel]] += one.energy_wh or 0.0
        if one.power_w is None:
            unknown.add(PHASES[one.channel])
        else:
            powers[PHASES[one.channel]] += one.power_w
    if not used or abs(sum(energies.values()) - total_wh) > _ROUNDING_WH * (len(used) + 1):
        return {}, {}
    known = {phase: watts for phase, watts in powers.items() if phase not in unknown}
    if not unknown:
        known[TOTAL] = sum(known.values())
    return dict(energies), known

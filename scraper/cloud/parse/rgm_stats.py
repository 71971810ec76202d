"""`rgm_stats`: what the production meters counted, in intervals of fifteen minutes, with their channels. Pure."""

from typing import NamedTuple

from scraper.cloud.parse.replies import (
    ReplyMeta,
    list_entries,
    list_optional_entries,
    read_amount,
    read_count,
    read_meta,
    read_moment,
    require_object,
)
from scraper.gateway.parse.values import Document, read_number

_WHERE = "rgm_stats"
CHANNELS = (1, 2, 3)


class MeterShare(NamedTuple):
    """One interval of all meters together, as the cloud states it.

    Attributes:
        end_s: Its end, epoch seconds.
        devices: Meters whose share is in it.
        energy_wh: Energy delivered (Wh).
    """

    end_s: int
    devices: int | None
    energy_wh: float | None


class ChannelShare(NamedTuple):
    """One interval of one channel of one meter.

    Attributes:
        channel: 1, 2 or 3.
        end_s: Its end, epoch seconds.
        energy_wh: Energy delivered (Wh).
        power_w: Power near its end (W); it is not the mean.
    """

    channel: int
    end_s: int
    energy_wh: float | None
    power_w: float | None


class MeterReply(NamedTuple):
    """One reply.

    Attributes:
        devices_total: Active production meters; 0 where there is none.
        meta: How far its data reach.
        intervals: By their end, the oldest first; the last one where an end comes twice.
        channels: Of each meter, in the order of the reply.
    """

    devices_total: int | None
    meta: ReplyMeta
    intervals: tuple[MeterShare, ...]
    channels: tuple[tuple[ChannelShare, ...], ...]


def parse_rgm_stats(reply: object) -> MeterReply:
    """Raises BadReplyError."""
    document = require_object(reply, _WHERE)
    found: dict[int, MeterShare] = {}
    for entry in list_entries(document, "intervals", _WHERE):
        end_s = read_moment(entry.get("end_at"))
        if end_s is not None:
            devices = read_count(entry.get("devices_reporting"))
            found[end_s] = MeterShare(end_s, devices, read_amount(entry.get("wh_del")))
    return MeterReply(
        read_count(document.get("total_devices")),
        read_meta(document),
        tuple(found[end_s] for end_s in sorted(found)),
        tuple(_parse_channels(meter) for meter in list_optional_entries(document, "meter_intervals")),
    )


def _parse_channels(meter: Document) -> tuple[ChannelShare, ...]:
    found = []
    for entry in list_optional_entries(meter, "intervals"):
        channel, end_s = read_count(entry.get("channel")), read_moment(entry.get("end_at"))
        if channel in CHANNELS and end_s is not None:
            power = read_number(entry.get("curr_w"))
            found.append(ChannelShare(channel, end_s, read_amount(entry.get("wh_del")), power))
    return tuple(found)

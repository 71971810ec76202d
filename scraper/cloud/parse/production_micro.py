"""`telemetry/production_micro`: what all inverters together made, in intervals of five minutes. Pure."""

from typing import NamedTuple

from scraper.cloud.parse.replies import (
    ReplyMeta,
    list_entries,
    read_amount,
    read_count,
    read_meta,
    read_moment,
    require_object,
)

_WHERE = "production_micro"


class InverterShare(NamedTuple):
    """One interval, as the cloud states it.

    Attributes:
        end_s: Its end, epoch seconds.
        devices: Inverters whose share is in it.
        power_w: Mean power (W).
        energy_wh: Energy (Wh).
    """

    end_s: int
    devices: int | None
    power_w: float | None
    energy_wh: float | None


class MicroReply(NamedTuple):
    """One reply.

    Attributes:
        devices_total: Inverters of the system.
        meta: How far its data reach.
        intervals: By their end, the oldest first; the last one where an end comes twice.
    """

    devices_total: int | None
    meta: ReplyMeta
    intervals: tuple[InverterShare, ...]


def parse_production_micro(reply: object) -> MicroReply:
    """Raises BadReplyError."""
    document = require_object(reply, _WHERE)
    found: dict[int, InverterShare] = {}
    for entry in list_entries(document, "intervals", _WHERE):
        end_s = read_moment(entry.get("end_at"))
        if end_s is not None:
            devices, power = read_count(entry.get("devices_reporting")), read_amount(entry.get("powr"))
            found[end_s] = InverterShare(end_s, devices, power, read_amount(entry.get("enwh")))
    intervals = tuple(found[end_s] for end_s in sorted(found))
    return MicroReply(read_count(document.get("total_devices")), read_meta(document), intervals)

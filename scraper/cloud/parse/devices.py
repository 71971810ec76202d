"""`systems/{id}/devices`: whether a system has inverters and meters. Pure."""

from typing import NamedTuple

from scraper.cloud.parse.replies import list_optional_entries, require_object
from scraper.gateway.parse.values import get_part


class ListedDevices(NamedTuple):
    """How many devices the cloud lists; an absent list means none."""

    micros: int
    meters: int


def parse_devices(reply: object) -> ListedDevices:
    """Raises BadReplyError."""
    devices = get_part(require_object(reply, "devices"), "devices")
    return ListedDevices(*(len(list_optional_entries(devices, key)) for key in ("micros", "meters")))

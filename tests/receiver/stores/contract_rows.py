"""Rows that the contract's tests write into a store, and how they read them back."""

from receiver.stores.base import GatewayReading
from shared.readings import Reading, Series

NOON = 1_750_000_000_000
HOME, NEXT_DOOR = "122233334444", "122233335555"
PHASE_A = {"meter": "net-consumption", "phase": "a"}
PHASE_B = {"meter": "net-consumption", "phase": "b"}
SERIES_A = Series("meter", (("meter", "net-consumption"), ("phase", "a")))
SERIES_B = Series("meter", (("meter", "net-consumption"), ("phase", "b")))
DAY = 86_400_000


def make_meter(timestamp, tags=PHASE_A, gateway=HOME, **fields):
    return GatewayReading(gateway, Reading("meter", tags, timestamp, fields))


def make_inverter(timestamp, serial="482100000001", gateway=HOME, **fields):
    return GatewayReading(gateway, Reading("inverter", {"inverter": serial}, timestamp, fields))


async def read_everything(store, kind="meter", gateway=HOME):
    return await store.read_points(gateway, kind, start=0, stop=NOON + 365 * DAY)

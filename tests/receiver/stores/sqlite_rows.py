"""A SQLite store in a file of the test's own, and rows for it."""

from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading

NOON = 1_750_000_000_000
HOME = "122233334444"
PHASE_A = {"meter": "production", "phase": "a"}


def make_rows(count=1, first=0):
    return [GatewayReading(HOME, Reading("meter", PHASE_A, NOON + first + n, {"power": 0.5})) for n in range(count)]


async def open_store(path):
    store = SqliteStore(path)
    await store.open()
    return store


async def read_stored(store):
    """Offsets from noon of what is stored."""
    found = await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    return {point.timestamp - NOON for series in found for point in series.points}

"""At least once on the wire is exactly once in the store: any delivery of some readings leaves what one delivery leaves."""

import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.stores.base import GatewayReading
from shared.fields import KINDS
from shared.readings import Reading

_serials = itertools.count(100_000_000_000)
START, STOP = 1_750_000_000_000, 1_750_000_000_006

numbers = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)  # no store keeps -0.0
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@st.composite
def draw_truths(draw):
    """What a site really had: identity (kind, tags, timestamp) to all its fields. One value per field."""
    truth: dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, float | str]] = {}
    for kind in draw(st.sets(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3)):
        values = {name: texts if field.type is str else numbers for name, field in KINDS[kind].fields.items()}
        some = st.dictionaries(st.sampled_from(sorted(values)), st.none(), min_size=1, max_size=4)
        for names in draw(st.lists(some, min_size=1, max_size=5)):
            tags = tuple((tag, draw(st.sampled_from("ab"))) for tag in KINDS[kind].tags)
            timestamp = draw(st.integers(START, STOP - 1))
            fields = {name: draw(values[name]) for name in sorted(names)}
            truth.setdefault((kind, tags, timestamp), {}).update(fields)
    return truth


@st.composite
def draw_deliveries(draw, truth):
    """The truth in pieces: fields of one identity apart, pieces twice, in any order, cut into batches anywhere."""
    pieces = []
    for (kind, tags, timestamp), fields in truth.items():
        names = draw(st.permutations(sorted(fields)))
        cut = draw(st.integers(0, len(names)))
        again = draw(st.lists(st.sampled_from(names), unique=True))
        pieces += [
            Reading(kind, dict(tags), timestamp, {name: fields[name] for name in part})
            for part in (names[:cut], names[cut:], again)
            if part
        ]
    pieces += draw(st.lists(st.sampled_from(pieces), max_size=5))
    pieces = draw(st.permutations(pieces))
    cuts = sorted(draw(st.sets(st.integers(1, len(pieces)), max_size=4)) | {0, len(pieces)})
    return [pieces[first:last] for first, last in itertools.pairwise(cuts)]


@st.composite
def draw_days(draw):
    """The truth, and deliveries of it by two gateways in an order of its own: (0 or 1, batch)."""
    truth = draw(draw_truths())
    batches = [(gateway, batch) for gateway in (0, 1) for batch in draw(draw_deliveries(truth))]
    return truth, draw(st.permutations(batches))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=draw_days(), together=st.booleans())
async def test_any_delivery_equals_one_delivery_in_order(store, day, together):
    """Duplicated, late, reordered, split and interleaved with the other gateway's batches: the same points, bit for bit.

    Each example has two gateways of its own, so that one store serves all of them.
    """
    gateways = [str(next(_serials)), str(next(_serials))]
    truth, sent = day
    batches = [[GatewayReading(gateways[who], reading) for reading in batch] for who, batch in sent]
    if together:
        await asyncio.gather(*map(store.write, batches))
    else:
        for batch in batches:
            assert await store.write(batch) == {}
    for gateway in gateways:
        assert await read_stored(store, gateway) == to_bits(truth)


async def read_stored(store, gateway):
    found = {}
    for kind in KINDS:
        for series in await store.read_points(gateway, kind, start=START, stop=STOP):
            times = [point.timestamp for point in series.points]
            assert times == sorted(set(times))
            for point in series.points:
                found[kind, series.series.tags, point.timestamp] = point.fields
    return to_bits(found)


def to_bits(identities):
    """Floats as their bits, so that equal means identical."""
    return {
        (kind, tuple(sorted(tags)), timestamp): {
            name: value.hex() if isinstance(value, float) else value for name, value in fields.items()
        }
        for (kind, tags, timestamp), fields in identities.items()
    }

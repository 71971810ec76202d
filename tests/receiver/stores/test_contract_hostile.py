"""Whatever a caller says is data: no parameter changes what is asked, and nothing that is stored is lost by asking."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.stores.base import GatewayReading
from shared.readings import Reading

NOON = 1_750_000_000_000
HOME = "122233334444"
PHASE_A = {"meter": "net-consumption", "phase": "a"}
HOSTILE = [
    "' OR '1'='1",
    '" OR "1"="1',
    "') OR time > 0 --",
    "x; DROP MEASUREMENT meter",
    'x"; DELETE FROM "meter',
    "/.*/",
    "$p0",
    "\\",
    "\\'",
    '\\"',
    "\n",
    "*",
    "%",
    "",
    '{"regex": ".*"}',
    "☀\0",
]


names = st.text(st.characters(codec="utf-8"), max_size=12)
awkward = st.text(st.sampled_from("ab ,=\\\"'\n\r\0\t$;*/␛☀"), max_size=8)
_numbers = itertools.count()


@pytest.fixture
async def filled(store):
    """A store with one reading, which must be there afterwards and nowhere else."""
    await store.write([GatewayReading(HOME, Reading("meter", PHASE_A, NOON, {"power": 1.0}))])
    yield store
    (series,) = await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    assert [point.fields for point in series.points] == [{"power": 1.0}]


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_text_finds_what_is_not_its_own(filled, text):
    """As a serial, a kind, the name or value of a tag, or a field."""
    window = {"start": 0, "stop": 2 * NOON}
    for neighbours in (False, True):
        assert await filled.read_points(text, "meter", **window, neighbours=neighbours) == []
        assert await filled.read_points(HOME, text, **window, neighbours=neighbours) == []
        assert await filled.read_points(HOME, "meter", tags={"phase": text}, **window, neighbours=neighbours) == []
        assert await filled.read_points(HOME, "meter", tags={text: "a"}, **window, neighbours=neighbours) == []
        assert await filled.read_points(HOME, "meter", fields=[text], **window, neighbours=neighbours) == []
        assert (
            await filled.read_points(HOME, "inverter", tags={"inverter": text}, **window, neighbours=neighbours) == []
        )
    assert await filled.read_latest(text, "meter") == []
    assert await filled.read_latest(HOME, text) == []
    await filled.remove(text, "meter", start=0, stop=2 * NOON)
    await filled.remove(HOME, text, start=0, stop=2 * NOON)


@pytest.mark.parametrize(
    ("start", "stop"), [(-(2**63), 2**63), (-(10**30), 10**30), (0, 2**62), (NOON, NOON + 1), (NOON - 10**15, 10**13)]
)
async def test_any_stretch_of_time_can_be_asked_for(filled, start, stop):
    """Beyond the years that a database knows there is nothing, which is no error."""
    (series,) = await filled.read_points(HOME, "meter", start=start, stop=stop)
    assert len(series.points) == 1
    assert await filled.read_points(HOME, "meter", start=stop, stop=start) == []
    assert await filled.read_points(HOME, "meter", start=2**62, stop=2**63 - 1) == []
    assert await filled.read_points(HOME, "meter", start=start, stop=stop, neighbours=True) == [series]
    await filled.remove(HOME, "inverter", start=start, stop=stop)
    await filled.remove(HOME, "meter", start=2**62, stop=2**63)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(panels=st.sets(st.tuples(awkward | names, awkward | names), min_size=1, max_size=4), gateway=awkward | names)
async def test_any_name_comes_back_and_is_found(store, panels, gateway):
    """Of gateways, panels and arrays, as data and as a filter; an empty one too."""
    gateway = f"{next(_numbers)}{gateway}"
    tags = [{"inverter": "1", "panel": panel, "array": array} for panel, array in sorted(panels)]
    rows = [Reading("panel_1d", each, NOON, {"energy": float(n)}) for n, each in enumerate(tags)]
    assert await store.write([GatewayReading(gateway, row) for row in rows]) == {}
    for row in rows:
        (series,) = await store.read_points(
            gateway, "panel_1d", tags=row.tags, start=NOON, stop=NOON + 1, neighbours=True
        )
        assert (series.series, series.points[0].fields) == (row.series, row.fields)
    found = await store.read_latest(gateway, "panel_1d")
    assert [latest.tags for latest in found] == sorted(tags, key=lambda each: sorted(each.items()))
    await store.remove(gateway, "panel_1d", start=NOON, stop=NOON + 1)
    assert await store.read_latest(gateway, "panel_1d") == []

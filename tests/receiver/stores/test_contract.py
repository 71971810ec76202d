"""What every store promises (`receiver.stores.base`), asked of each of them."""

import pytest

from receiver.stores.base import GatewayReading, Point, SeriesPoints
from receiver.stores.kinds import STORED
from shared.problems import Rejection
from shared.readings import Reading, Series
from tests.receiver.stores.contract_rows import (
    HOME,
    NEXT_DOOR,
    NOON,
    PHASE_A,
    PHASE_B,
    SERIES_A,
    SERIES_B,
    make_inverter,
    make_meter,
    read_everything,
)


async def test_an_empty_store_is_ready_and_answers_everything_with_nothing(store):
    """First start: no data is no error."""
    assert await store.check_ready() is None
    assert await store.list_gateways() == []
    assert await store.read_summary(HOME) is None
    assert await store.read_latest(HOME, "meter") == []
    assert await read_everything(store) == []
    assert await store.count() == 0
    assert await store.write([]) == {}


async def test_every_kind_has_a_retention(store):
    """Ingest looks up each kind before it lets a reading in."""
    assert store.retention_ms.keys() == STORED.keys()


async def test_what_was_written_is_read_back(store):
    """Timestamps, fields and tags, ascending per series, series by tags."""
    assert (
        await store.write([make_meter(NOON + 1, PHASE_B, power=2.5), make_meter(NOON, power=-1.0, voltage=230.25)])
        == {}
    )
    assert await read_everything(store) == [
        SeriesPoints(SERIES_A, [Point(NOON, {"power": -1.0, "voltage": 230.25})]),
        SeriesPoints(SERIES_B, [Point(NOON + 1, {"power": 2.5})]),
    ]


@pytest.mark.parametrize("kind", STORED)
async def test_every_field_of_every_kind_can_be_stored(store, kind):
    """The store's columns are the dictionary's fields."""
    tags = {tag: f"some-{tag}" for tag in STORED[kind].tags}
    fields = {
        name: f"text {n}" if field.type is str else n + 0.5
        for n, (name, field) in enumerate(STORED[kind].fields.items())
    }
    assert await store.write([GatewayReading(HOME, Reading(kind, tags, NOON, fields))]) == {}
    (series,) = await read_everything(store, kind)
    assert series == SeriesPoints(Series.of(kind, tags), [Point(NOON, fields)])
    (latest,) = await store.read_latest(HOME, kind)
    assert (latest.tags, latest.timestamp, latest.fields) == (tags, NOON, fields)


async def test_a_correction_of_an_interval_stands_beside_what_it_corrects(store):
    """Whichever arrives first: the newest rows of a backlog are sent first."""
    tags = {"source": "inv", "phase": "total"}
    rows = [
        Reading("interval", tags | {"revision": name}, NOON, {"energy": wh}) for name, wh in (("1", 9.0), ("0", 7.0))
    ]
    assert await store.write([GatewayReading("system-4711023", row) for row in rows]) == {}
    found = await read_everything(store, "interval", "system-4711023")
    assert [(dict(series.tags)["revision"], points[0].fields["energy"]) for series, points in found] == [
        ("0", 7.0),
        ("1", 9.0),
    ]


async def test_an_identity_written_again_merges_its_fields_and_the_last_write_wins(store):
    """Late fields complete a point, absent ones erase nothing, and no point is added."""
    await store.write([make_meter(NOON, power=1.0, voltage=230.0)])
    await store.write([make_meter(NOON, power=2.0, current=4.0)])
    assert await read_everything(store) == [
        SeriesPoints(SERIES_A, [Point(NOON, {"power": 2.0, "voltage": 230.0, "current": 4.0})])
    ]
    assert await store.count() == 1


async def test_within_one_write_the_later_row_wins_whatever_fields_it_has(store):
    """Rows with different sets of fields keep their order: a store that groups them by shape must not reorder them."""
    await store.write(
        [make_meter(NOON, power=1.0), make_meter(NOON, power=2.0, voltage=230.0), make_meter(NOON, power=3.0)]
    )
    assert await read_everything(store) == [SeriesPoints(SERIES_A, [Point(NOON, {"power": 3.0, "voltage": 230.0})])]


async def test_a_long_write_keeps_its_order_and_names_the_refused_by_index(store):
    """Longer than whatever a store puts into one statement, each identity twice, refusals among them."""
    rows = [make_meter(NOON + n % 240, power=float(n), **({"voltage": 230.0} if n < 240 else {})) for n in range(480)]
    for index in (0, 199, 479):
        rows[index] = make_meter(NOON, power="12")
    assert await store.write(rows) == dict.fromkeys((0, 199, 479), Rejection.STORE_REFUSED)
    (series,) = await read_everything(store)
    expected = [Point(NOON + n, {"power": 240.0 + n, "voltage": 230.0}) for n in range(240)]
    expected[0] = Point(NOON, {"power": 240.0})
    expected[199] = Point(NOON + 199, {"power": 439.0})
    expected[239] = Point(NOON + 239, {"power": 239.0, "voltage": 230.0})
    assert series.points == expected


async def test_huge_numbers_are_stored_although_their_sum_is_none(store):
    """Each is finite, and that is all that is asked."""
    fields: dict[str, float | str] = {"power": 1.7e308, "voltage": 1.7e308}
    assert await store.write([GatewayReading(HOME, Reading("meter", PHASE_A, NOON, fields))]) == {}
    (series,) = await read_everything(store)
    assert series.points == [Point(NOON, fields)]


async def test_late_readings_take_their_place_in_time(store):
    """A backlog that arrives after newer readings."""
    await store.write([make_meter(NOON + 2, power=2.0)])
    await store.write([make_meter(NOON + 1, power=1.0)])
    (series,) = await read_everything(store)
    assert [point.timestamp for point in series.points] == [NOON + 1, NOON + 2]


async def test_the_order_of_tags_means_nothing(store):
    """One series, however a sender writes it."""
    await store.write([make_meter(NOON, power=1.0), make_meter(NOON + 1, dict(reversed(PHASE_A.items())), power=2.0)])
    assert await read_everything(store) == [
        SeriesPoints(SERIES_A, [Point(NOON, {"power": 1.0}), Point(NOON + 1, {"power": 2.0})])
    ]


async def test_gateways_are_isolated_from_each_other(store):
    """The same serials and tags under two gateways are two series, and nobody sees the other's."""
    await store.write([
        make_meter(NOON, power=1.0),
        make_meter(NOON, gateway=NEXT_DOOR, power=2.0),
        make_meter(NOON, PHASE_B, gateway=NEXT_DOOR, power=3.0),
    ])  # fmt: skip
    assert await read_everything(store) == [SeriesPoints(SERIES_A, [Point(NOON, {"power": 1.0})])]
    assert [latest.tags for latest in await store.read_latest(HOME, "meter")] == [PHASE_A]
    assert [latest.fields for latest in await store.read_latest(NEXT_DOOR, "meter")] == [{"power": 2.0}, {"power": 3.0}]
    assert await store.read_latest("122233336666", "meter") == []


async def test_serials_and_tags_are_data_whatever_they_contain(store):
    """Quotes, separators and another store's syntax in a name neither fail nor reach another series."""
    names = ["a'; DROP TABLE meter; --", 'a" = "a', "a,b=c d\\", "a\nb", "é☀😀", "a*", "%"]
    await store.write([make_inverter(NOON, name, gateway=name, power=1.0) for name in names])
    for name in names:
        (series,) = await read_everything(store, "inverter", gateway=name)
        assert series.series.tags == (("inverter", name),)
        assert await store.read_points(name, "inverter", tags={"inverter": name}, start=0, stop=NOON + 1) == [series]
    assert [summary.gateway for summary in await store.list_gateways()] == sorted(names)


@pytest.mark.parametrize(
    ("value", "name"),
    [(v, "power") for v in (5e-324, -5e-324, 1.7976931348623157e308, 0.1 + 0.2, -1 / 3, 2.0**53 + 2, 0.0)],
)
async def test_numbers_come_back_bit_for_bit(store, value, name):
    """Tiny, huge and unround numbers."""
    await store.write([make_meter(NOON, **{name: value})])
    (series,) = await read_everything(store)
    assert series.points[0].fields[name].hex() == value.hex()


@pytest.mark.parametrize("text", ["D8.2.4286", "", " ", "é☀😀", 'a "quoted", b=c\\', "two\nlines", "5", "nan", "0x41"])
async def test_text_comes_back_as_it_was(store, text):
    """Also where it is empty or looks like a number."""
    await store.write([GatewayReading(HOME, Reading("gateway", {}, NOON, {"firmware": text, "poll_seconds": 1.5}))])
    (series,) = await read_everything(store, "gateway")
    assert series.points == [Point(NOON, {"firmware": text, "poll_seconds": 1.5})]


@pytest.mark.parametrize(
    ("reading", "code"),
    [
        (Reading("battery_of_tomorrow", {}, NOON, {"power": 1.0}), Rejection.UNKNOWN_KIND),
        (Reading("meter", PHASE_A, NOON, {}), Rejection.NO_KNOWN_FIELD),
        (Reading("meter", PHASE_A, NOON, {"colour": 1.0}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, NOON, {"power": "12"}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, NOON, {"power": True}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, NOON, {"power": 2**60}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, NOON, {"power": float("nan")}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, NOON, {"power": float("inf")}), Rejection.STORE_REFUSED),
        (Reading("gateway", {}, NOON, {"firmware": 8.2}), Rejection.STORE_REFUSED),
        (Reading("gateway", {}, NOON, {"firmware": "\ud800"}), Rejection.STORE_REFUSED),
        (Reading("meter", {"meter": "net-consumption"}, NOON, {"power": 1.0}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A | {"gateway": "1"}, NOON, {"power": 1.0}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A | {"phase": "\udfff"}, NOON, {"power": 1.0}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A | {"phase": ["a"]}, NOON, {"power": 1.0}), Rejection.STORE_REFUSED),  # type: ignore[arg-type]
        (Reading("meter", PHASE_A, NOON, {"power": 1.0, "voltage": float("-inf")}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, 2**63, {"power": 1.0}), Rejection.STORE_REFUSED),
        (Reading("meter", PHASE_A, -(2**62), {"power": 1.0}), Rejection.STORE_REFUSED),
    ],
)
async def test_a_row_against_the_dictionary_is_refused_alone(store, reading, code):
    """Wrong kinds, fields, types, tags and times: named by their index, and the good rows beside them are stored."""
    rows = [make_meter(NOON, power=1.0), GatewayReading(HOME, reading), make_meter(NOON + 1, power=2.0)]
    assert await store.write(rows) == {1: code}
    (series,) = await read_everything(store)
    assert [point.fields for point in series.points] == [{"power": 1.0}, {"power": 2.0}]
    assert await store.write(rows[1:2]) == {0: code}


async def test_whole_numbers_are_stored_as_floats(store):
    """Python code may write 5 for 5.0; the field's type does not change with it."""
    await store.write([make_meter(NOON, power=5)])
    (series,) = await read_everything(store)
    assert isinstance(series.points[0].fields["power"], float)


async def test_readings_survive_closing_and_opening(make_store):
    """Another process, later: the same data, and series go on where they were."""
    first = make_store()
    await first.open()
    await first.write([make_meter(NOON, power=1.0)])
    await first.close()
    second = make_store()
    await second.open()
    await second.write([make_meter(NOON, voltage=230.0), make_meter(NOON + 1, power=2.0)])
    assert await read_everything(second) == [
        SeriesPoints(SERIES_A, [Point(NOON, {"power": 1.0, "voltage": 230.0}), Point(NOON + 1, {"power": 2.0})])
    ]
    await second.close()


async def test_a_write_is_visible_to_another_store_when_it_returns(make_store):
    """Durable means that nothing of it is only in this object's memory."""
    writer, reader = make_store(), make_store()
    await writer.open()
    await reader.open()
    for n in range(3):
        await writer.write([make_meter(NOON + n, power=float(n))])
        assert await reader.count() == n + 1
    await writer.close()
    await reader.close()

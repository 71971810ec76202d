"""What every store promises about reading: windows, fields, tags, neighbours, the latest values, the summary."""

from receiver.stores.base import GatewayReading, Point, SeriesPoints
from shared.fields import MAX_GAP_MS
from shared.readings import Reading
from tests.receiver.stores.contract_rows import (
    DAY,
    HOME,
    NEXT_DOOR,
    NOON,
    PHASE_A,
    PHASE_B,
    SERIES_A,
    SERIES_B,
    make_inverter,
    make_meter,
)


async def test_points_are_cut_at_start_and_before_stop(store):
    """Half-open, so that adjoining windows share no point."""
    await store.write([make_meter(NOON + n, power=float(n)) for n in range(5)])
    (series,) = await store.read_points(HOME, "meter", start=NOON + 1, stop=NOON + 3)
    assert [point.timestamp - NOON for point in series.points] == [1, 2]
    assert await store.read_points(HOME, "meter", start=NOON + 3, stop=NOON + 3) == []


async def test_points_can_be_asked_for_some_fields(store):
    """Points without any of them are left out, and so are series without such points."""
    await store.write([
        make_meter(NOON, power=1.0, voltage=230.0),
        make_meter(NOON + 1, current=4.0),
        make_meter(NOON, PHASE_B, current=5.0),
    ])  # fmt: skip

    async def ask(*fields):
        return await store.read_points(HOME, "meter", fields=fields, start=0, stop=NOON + DAY)

    assert await ask("power", "frequency") == [SeriesPoints(SERIES_A, [Point(NOON, {"power": 1.0})])]
    assert await ask() == []
    assert await ask("colour") == []


async def test_points_can_be_asked_for_some_tags(store):
    """By equality on any of the tags; what no series has matches none."""
    await store.write([make_meter(NOON, power=1.0), make_meter(NOON, PHASE_B, power=2.0)])

    async def ask(**tags):
        return [series.series for series in await store.read_points(HOME, "meter", tags=tags, start=0, stop=NOON + 1)]

    assert await ask(meter="net-consumption") == [SERIES_A, SERIES_B]
    assert await ask(meter="net-consumption", phase="b") == [SERIES_B]
    assert await ask(meter="production") == []
    assert await ask(colour="a") == []


async def test_unknown_kinds_hold_nothing(store):
    """A reader that is newer than the store gets an empty answer."""
    assert await store.read_points(HOME, "battery_of_tomorrow", start=0, stop=NOON) == []
    assert await store.read_latest(HOME, "battery_of_tomorrow") == []


async def test_neighbours_are_the_nearest_points_of_each_field(store):
    """What interpolation at both ends needs: per field, because exception reporting leaves fields out."""
    await store.write([
        make_meter(NOON - 4000, voltage=229.0, power=0.0),
        make_meter(NOON - 3000, voltage=230.0),
        make_meter(NOON - 2000, power=1.0, current=9.0),
        make_meter(NOON, power=2.0),
        make_meter(NOON + 1000, current=9.0),
        make_meter(NOON + 2000, power=3.0),
        make_meter(NOON + 3000, power=4.0, voltage=231.0),
        make_meter(NOON + 4000, voltage=232.0),
    ])  # fmt: skip
    found = await store.read_points(
        HOME, "meter", fields={"power", "voltage"}, start=NOON - 1000, stop=NOON + 1000, neighbours=True
    )
    assert found == [
        SeriesPoints(
            SERIES_A,
            [
                Point(NOON - 3000, {"voltage": 230.0}),
                Point(NOON - 2000, {"power": 1.0}),
                Point(NOON, {"power": 2.0}),
                Point(NOON + 2000, {"power": 3.0}),
                Point(NOON + 3000, {"power": 4.0, "voltage": 231.0}),
            ],
        )
    ]


async def test_the_neighbour_after_may_stand_at_stop_itself(store):
    """And the one before is before `start`, so no point comes twice."""
    await store.write([make_meter(NOON - 1, power=1.0), make_meter(NOON, power=2.0), make_meter(NOON + 10, power=3.0)])
    (series,) = await store.read_points(HOME, "meter", start=NOON, stop=NOON + 10, neighbours=True)
    assert [point.timestamp - NOON for point in series.points] == [-1, 0, 10]


async def test_a_window_without_points_still_has_its_neighbours(store):
    """Between two stored points a value is known."""
    await store.write([make_meter(NOON, power=1.0), make_meter(NOON + 60_000, power=2.0)])
    (series,) = await store.read_points(HOME, "meter", start=NOON + 10, stop=NOON + 20, neighbours=True)
    assert [point.timestamp - NOON for point in series.points] == [0, 60_000]
    assert await store.read_points(HOME, "meter", start=NOON + 10, stop=NOON + 20) == []


async def test_neighbours_of_linear_kinds_are_within_the_longest_gap(store):
    """Beyond it nothing is known between them, so they are not worth the search."""
    boundary = [make_meter(NOON - MAX_GAP_MS, power=1.0), make_meter(NOON + 10 + MAX_GAP_MS, power=2.0)]
    beyond = [
        make_meter(NOON - MAX_GAP_MS - 1, PHASE_B, power=1.0),
        make_meter(NOON + 11 + MAX_GAP_MS, PHASE_B, power=2.0),
    ]
    await store.write([*boundary, *beyond])
    (series,) = await store.read_points(HOME, "meter", start=NOON, stop=NOON + 10, neighbours=True)
    assert series == SeriesPoints(SERIES_A, [Point(row.reading.timestamp, row.reading.fields) for row in boundary])


async def test_neighbours_of_counters_may_be_far_away(store):
    """The increase of a counter across a long outage is still true."""
    tags = {"meter": "production", "phase": "a"}
    rows = [Reading("meter_energy", tags, NOON + n * 30 * DAY, {"delivered": 100.0 + n}) for n in (-1, 1)]
    await store.write([GatewayReading(HOME, row) for row in rows])
    (series,) = await store.read_points(HOME, "meter_energy", start=NOON, stop=NOON + 1, neighbours=True)
    assert [point.fields["delivered"] for point in series.points] == [99.0, 101.0]


async def test_latest_looks_back_for_what_the_newest_reading_left_out(store):
    """Exception reporting: absent means within the band, for as long as a heartbeat may be missing."""
    await store.write([
        make_meter(NOON, power=100.0, voltage=230.0, current=1.0),
        make_meter(NOON + 1000, power=200.0),
        make_meter(NOON + 2000, current=2.0),
    ])  # fmt: skip
    (latest,) = await store.read_latest(HOME, "meter")
    assert latest.tags == PHASE_A
    assert latest.timestamp == NOON + 2000
    assert latest.fields == {"power": 200.0, "voltage": 230.0, "current": 2.0}


async def test_latest_forgets_what_is_older_than_the_longest_gap(store):
    """A field that stopped is unknown, not frozen."""
    await store.write([
        make_meter(NOON - 1, voltage=229.0),
        make_meter(NOON, frequency=50.0),
        make_meter(NOON + MAX_GAP_MS, power=1.0),
    ])  # fmt: skip
    (latest,) = await store.read_latest(HOME, "meter")
    assert latest.fields == {"frequency": 50.0, "power": 1.0}


async def test_latest_is_by_timestamp_not_by_arrival(store):
    """A backlog that drains beside live data does not turn the clock back."""
    await store.write([make_inverter(NOON, power=200.0)])
    await store.write([make_inverter(NOON - DAY, power=100.0, max_power=300.0)])
    (latest,) = await store.read_latest(HOME, "inverter")
    assert (latest.timestamp, latest.fields) == (NOON, {"power": 200.0})


async def test_gateways_are_summed_up(store):
    """First and last over all kinds, and how many series of each."""
    await store.write([
        make_meter(NOON, power=1.0),
        make_meter(NOON + 5, PHASE_B, power=1.0),
        make_inverter(NOON - 300_000, power=1.0),
        make_meter(NOON + 9, gateway=NEXT_DOOR, power=1.0),
    ])  # fmt: skip
    home, next_door = await store.list_gateways()
    assert (home.gateway, home.last_timestamp, home.series) == (HOME, NOON + 5, {"meter": 2, "inverter": 1})
    assert home.first_timestamp in {NOON - 300_000, None}
    assert (next_door.gateway, next_door.last_timestamp, next_door.series) == (NEXT_DOOR, NOON + 9, {"meter": 1})


async def test_one_gateway_is_summed_up_as_in_the_list(store):
    """A question for one gets what the list says, and nothing of a gateway that is not there."""
    await store.write([
        make_meter(NOON, power=1.0),
        make_inverter(NOON - 300_000, power=1.0),
        make_meter(NOON - 40 * DAY, PHASE_B, gateway=NEXT_DOOR, power=1.0),
    ])  # fmt: skip
    assert [await store.read_summary(HOME), await store.read_summary(NEXT_DOOR)] == await store.list_gateways()
    for serial in (HOME[:-1], "", "' OR 1=1 --", ".*"):
        assert await store.read_summary(serial) is None


async def test_points_can_be_cut_at_a_number_for_each_series(store):
    """The earliest of each series; neighbours come on top, also where there is much around the window."""
    await store.write(
        [make_meter(NOON + n, phase, power=float(n)) for n in range(-10, 20) for phase in (PHASE_A, PHASE_B)]
    )
    for neighbours in (False, True):
        found = await store.read_points(HOME, "meter", start=NOON, stop=NOON + 10, neighbours=neighbours, most=3)
        assert [series.series for series in found] == [SERIES_A, SERIES_B]
        for _, points in found:
            inside = [point.timestamp - NOON for point in points if NOON <= point.timestamp < NOON + 10]
            assert inside == [0, 1, 2]
            outside = [point.timestamp - NOON for point in points if not NOON <= point.timestamp < NOON + 10]
            assert outside == ([-1, 10] if neighbours else [])
    (series, _) = await store.read_points(HOME, "meter", start=NOON, stop=NOON + 2, neighbours=True, most=10)
    assert [point.timestamp - NOON for point in series.points] == [-1, 0, 1, 2]


async def test_the_latest_values_of_a_series_that_is_far_too_dense(store):
    """Thousands of readings between the last known values of its fields, and one that is too old to count."""
    await store.write(
        [
            make_meter(NOON - MAX_GAP_MS - 1, apparent_power=1.0),
            make_meter(NOON - MAX_GAP_MS, frequency=50.0),
            make_meter(NOON - 60_000, voltage=230.0),
            make_meter(NOON - 50_000, voltage=231.0),
            *(make_meter(NOON - n, power=float(n)) for n in range(2_500)),
        ]
    )
    (found,) = await store.read_latest(HOME, "meter")
    assert found.timestamp == NOON
    assert found.fields == {"power": 0.0, "voltage": 231.0, "frequency": 50.0}

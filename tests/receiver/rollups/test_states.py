"""Roll-ups of hours in which nothing is heard of a generator any more."""

import pytest

from receiver.rollups.compute import FIELDS, RawSeries, find_reach, make_quarter_rows
from receiver.rollups.states import find_generator_spans
from receiver.sites.model import NO_SITE
from receiver.sites.storage import GENERATOR_STAYS_MS, STATE_SPEAKS_MS
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.rollups.random_house import START
from tests.receiver.rollups.test_rows import make_counted, make_flat
from tests.receiver.rollups.test_storage import make_series

RUNS, STANDS, UNKNOWN = {"known": 1.0, "running": 1.0}, {"known": 1.0, "running": 0.0}, {"known": 0.0}


def find_loads(generator=(), grid=()):
    """Whether the load of the quarter hour and of its minutes is known, and what was bought."""
    raw = RawSeries(
        [make_flat("production", "a", 0.0), make_flat("net-consumption", "a", 3000.0)],
        [make_counted("production", "a", 0.0), make_counted("net-consumption", "a", 3000.0)],
        [],
        [],
        grid=grid,
        generator=generator,
    )
    rows = make_quarter_rows(raw, NO_SITE, START, START + QUARTER_MS)
    (energy,) = (row.fields for row in rows if row.kind == "energy_15m")
    minutes = [row.fields.get("load") for row in rows if row.kind == "site_1m"]
    return energy.get("load"), energy.get("imported"), set(minutes)


KNOWN = (pytest.approx(750.0), pytest.approx(750.0), {3000.0})
NOT_KNOWN = (None, None, {None})


@pytest.mark.parametrize("fields", [RUNS, UNKNOWN, {"start_state_of_charge": 30.0}])
@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (-STATE_SPEAKS_MS - 1, NOT_KNOWN),
        (-12 * HOUR_MS, NOT_KNOWN),
        (-GENERATOR_STAYS_MS + MINUTE_MS, NOT_KNOWN),
        (-GENERATOR_STAYS_MS - MINUTE_MS, KNOWN),
    ],
)
def test_a_generator_may_have_run_until_it_said_otherwise_for_a_day(seen, fields, expected):
    assert find_loads(make_series("generator", {seen: fields})) == expected


def test_a_generator_that_did_not_run_when_it_was_last_heard_of_did_not_run():
    assert find_loads(make_series("generator", {-2 * HOUR_MS: RUNS, -HOUR_MS: STANDS})) == KNOWN


def test_a_main_relay_that_was_closed_rules_out_a_generator_that_was_not_heard_of():
    states = make_series("generator", {-HOUR_MS: RUNS})
    closed = {at: {"mode": "connected"} for at in range(-QUARTER_MS, 2 * QUARTER_MS, 5 * MINUTE_MS)}
    assert find_loads(states, make_series("grid", closed)) == KNOWN
    assert find_loads(states, make_series("grid", {-QUARTER_MS: {"mode": "connected"}})) == NOT_KNOWN


def test_a_relay_that_told_of_a_generator_is_believed_until_either_says_otherwise():
    told = make_series("grid", {-HOUR_MS: {"mode": "generator"}})
    assert find_loads((), told) == NOT_KNOWN
    assert find_loads(make_series("generator", {-HOUR_MS + MINUTE_MS: STANDS}), told) == KNOWN
    assert find_loads(make_series("generator", {-HOUR_MS - MINUTE_MS: STANDS}), told) == NOT_KNOWN
    assert find_loads(
        (), make_series("grid", {-HOUR_MS: {"mode": "generator"}, -MINUTE_MS: {"mode": "connected"}})
    ) == (KNOWN)


def test_what_is_not_heard_of_ends_with_the_next_word():
    generator = make_series("generator", {0: RUNS, HOUR_MS: STANDS})
    assert find_generator_spans(generator, ()) == [
        (START - MINUTE_MS, START + STATE_SPEAKS_MS),
        (START + STATE_SPEAKS_MS, START + HOUR_MS),
    ]


@pytest.mark.parametrize(
    ("following", "now", "reach"),
    [({}, None, GENERATOR_STAYS_MS), ({}, 2 * HOUR_MS, 2 * HOUR_MS), ({HOUR_MS: STANDS}, None, HOUR_MS)],
)
def test_a_word_of_a_generator_that_comes_late_reaches_until_the_next_one(following, now, reach):
    raw = RawSeries([], [], [], [], generator=make_series("generator", {0: RUNS} | following))
    found = find_reach(raw, START, START + QUARTER_MS, None if now is None else START + now)
    assert found.stop == START + reach


def test_what_a_reading_without_a_word_of_running_has_is_loaded():
    assert {"running", "known", "start_state_of_charge"} <= set(FIELDS["generator"])

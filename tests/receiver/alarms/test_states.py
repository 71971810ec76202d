"""The life of an alarm: pending, firing, ended, and nothing of it because nobody knows."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.alarms.definitions import CERTIFICATE_CHANGED, SCRAPER_SILENT
from receiver.alarms.facts import Condition
from receiver.alarms.states import KEPT_MS, PAUSE_MS, UNJUDGED_MS, AlarmState, AlarmTurn, Phase, advance, is_over
from tests.clocks import NOW_MS

MINUTE_MS = 60_000


def make_condition(holds: bool | None, alarm: str = SCRAPER_SILENT.id) -> Condition:
    return Condition(alarm, "1", "", holds, "why")


def run(*holds: bool | None, alarm: str = SCRAPER_SILENT.id, every_ms: int = MINUTE_MS):
    """The state after each minute, and the turns with their minutes."""
    state, turns = None, []
    for minute, one in enumerate(holds):
        step = advance(state, make_condition(one, alarm), NOW_MS + minute * every_ms)
        state = step.state
        if step.turn is not None:
            turns.append((minute, step.turn))
    return state, turns


def test_it_fires_after_its_pending_time_and_ends_once():
    state, turns = run(*[True] * 16, *[False] * 3)
    assert turns == [(15, AlarmTurn.BEGAN), (16, AlarmTurn.ENDED)]
    assert state.phase is Phase.ENDED


def test_what_has_no_pending_time_fires_at_once():
    assert run(True, alarm=CERTIFICATE_CHANGED.id)[1] == [(0, AlarmTurn.BEGAN)]


def test_a_pending_alarm_that_calms_was_never_there():
    assert run(*[True] * 10, False) == (None, [])


def test_unknown_is_neither_an_alarm_nor_its_end():
    assert run(*[None] * 30) == (None, [])
    state, turns = run(*[True] * 16, *[None] * 30)
    assert (state.phase, turns) == (Phase.FIRING, [(15, AlarmTurn.BEGAN)])
    state, turns = run(*[True] * 16, None, False)
    assert turns[-1] == (17, AlarmTurn.ENDED)


def test_pending_time_begins_again_after_a_pause_of_the_watcher():
    """While the receiver was away no scraper could report."""
    every_ms = PAUSE_MS + 1
    assert run(*[True] * 5, every_ms=every_ms)[1] == []
    assert run(*[True] * 5, every_ms=PAUSE_MS)[1] == [(3, AlarmTurn.BEGAN)]


def test_an_alarm_that_comes_again_is_another_one():
    again = [True] * 16 + [False]
    _, turns = run(*again, *again)
    assert [turn for _, turn in turns] == [AlarmTurn.BEGAN, AlarmTurn.ENDED] * 2


def test_what_ended_is_shown_again_when_a_new_one_calms_while_it_is_pending():
    state, _ = run(*[True] * 16, False, True, False)
    assert (state.phase, state.began) == (Phase.ENDED, NOW_MS + 15 * MINUTE_MS)


def test_states_are_forgotten_in_the_end():
    state, _ = run(*[True] * 16, False)
    assert not is_over(state, state.ended + KEPT_MS)
    assert is_over(state, state.ended + KEPT_MS + 1)
    firing, _ = run(*[True] * 16)
    assert not is_over(firing, firing.judged + UNJUDGED_MS)
    assert is_over(firing, firing.judged + UNJUDGED_MS + 1)


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(1, 20 * MINUTE_MS)), max_size=80))
def test_beginnings_and_ends_alternate_whatever_happens(story):
    """However the conditions come: never two beginnings, never an end without one, no change by the unknown."""
    state: AlarmState | None = None
    turns, now = [], NOW_MS
    for holds, later in story:
        now += later
        before = state
        step = advance(state, make_condition(holds), now)
        state = step.state
        if holds is None:
            assert (state, step.turn) == (before, None)
        turns += [step.turn] if step.turn is not None else []
        assert (state is not None and state.phase is Phase.FIRING) == (bool(turns) and turns[-1] is AlarmTurn.BEGAN)
    assert turns == [AlarmTurn.BEGAN, AlarmTurn.ENDED] * (len(turns) // 2) + [AlarmTurn.BEGAN] * (len(turns) % 2)

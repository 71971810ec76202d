"""The life of an alarm: pending, firing, ended. Pure.

- A condition that holds makes it pending; one that has held for as long as its definition says makes it fire.
- A condition that does not hold ends a firing alarm, and makes a pending one as if it had never been.
- A condition that cannot be judged changes nothing: no alarm begins or ends because nobody knows.
- Pending time counts only while somebody watches: it begins again after a pause of the watcher.
"""

import json
from enum import StrEnum
from typing import NamedTuple

from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.facts import Condition
from shared.units import DAY_MS, MINUTE_MS

PAUSE_MS = 5 * MINUTE_MS
"""After a longer pause (milliseconds) pending time begins again."""
KEPT_MS = 7 * DAY_MS
"""An alarm that ended is shown for this long (milliseconds)."""
UNJUDGED_MS = 30 * DAY_MS
"""An alarm that could not be judged for this long (milliseconds) is forgotten: what it was about is gone."""


class Phase(StrEnum):
    """Where an alarm stands."""

    PENDING = "pending"
    FIRING = "firing"
    ENDED = "ended"


class AlarmKey(NamedTuple):
    """Which alarm: id of its definition, serial of the gateway ("" for the receiver), and what it is about."""

    alarm: str
    gateway: str
    subject: str


class AlarmState(NamedTuple):
    """How one alarm stands. Times are UTC milliseconds.

    Attributes:
        phase: Where it stands.
        reason: The sentence of its last condition that held.
        since: Since when the condition holds (or held), as far as is known.
        pending_since: From when pending time counts.
        judged: When its condition was last judged.
        began: When it began to fire; None if it never did. While it is pending: of the alarm before.
        ended: When it ended; None while it has not. While it is pending: of the alarm before.
        values: What the reason says, as JSON: the values of its condition.
    """

    phase: Phase
    reason: str
    since: int
    pending_since: int
    judged: int
    began: int | None = None
    ended: int | None = None
    values: str = "{}"


class AlarmTurn(StrEnum):
    """What is told to people."""

    BEGAN = "began"
    ENDED = "ended"


class AlarmStep(NamedTuple):
    """What becomes of an alarm: its new state (None: there is none any more), and what is told of it, if anything."""

    state: AlarmState | None
    turn: AlarmTurn | None = None


def name_key(condition: Condition) -> AlarmKey:
    """The alarm that a condition belongs to."""
    return AlarmKey(condition.alarm, condition.gateway, condition.subject)


def advance(state: AlarmState | None, condition: Condition, now_ms: int) -> AlarmStep:
    """The next step of one alarm.

    Args:
        state: How it stands; None if there is none.
        condition: Its condition, judged now.
        now_ms: UTC milliseconds.
    """
    if condition.holds is None:
        return AlarmStep(state)
    if not condition.holds:
        return _calm(state, now_ms)
    values = json.dumps(dict(condition.values))
    if state is None or state.phase is Phase.ENDED:
        since = condition.since_ms if condition.since_ms is not None else now_ms
        began, ended = (state.began, state.ended) if state is not None else (None, None)
        return _wait(
            AlarmState(Phase.PENDING, condition.reason, since, now_ms, now_ms, began, ended, values), condition, now_ms
        )
    if state.phase is Phase.FIRING:
        return AlarmStep(state._replace(judged=now_ms, reason=condition.reason, values=values))
    begins_again = not 0 <= now_ms - state.judged <= PAUSE_MS
    pending_since = now_ms if begins_again else state.pending_since
    said = state._replace(reason=condition.reason, values=values)
    return _wait(said._replace(pending_since=pending_since, judged=now_ms), condition, now_ms)


def is_over(state: AlarmState, now_ms: int) -> bool:
    """Whether a state need not be kept any more."""
    if state.phase is Phase.ENDED:
        return state.ended is None or now_ms - state.ended > KEPT_MS
    return now_ms - state.judged > UNJUDGED_MS


def _calm(state: AlarmState | None, now_ms: int) -> AlarmStep:
    if state is None or state.phase is Phase.ENDED:
        return AlarmStep(state)
    if state.phase is Phase.PENDING:  # the alarm before it, which ended, is shown again
        return AlarmStep(None if state.began is None else state._replace(phase=Phase.ENDED, since=state.began))
    return AlarmStep(state._replace(phase=Phase.ENDED, judged=now_ms, ended=now_ms), AlarmTurn.ENDED)


def _wait(state: AlarmState, condition: Condition, now_ms: int) -> AlarmStep:
    if now_ms - state.pending_since < DEFINITIONS[condition.alarm].pending_s * 1000:
        return AlarmStep(state)
    return AlarmStep(state._replace(phase=Phase.FIRING, began=now_ms, ended=None), AlarmTurn.BEGAN)

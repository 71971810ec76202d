"""What is told of an alarm, and in which words. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from hashlib import blake2b

import msgspec

from receiver.alarms.definitions import DEFINITIONS, Severity
from receiver.alarms.states import AlarmKey, AlarmState, AlarmTurn, Phase
from shared.durations import describe_duration
from shared.units import DAY_MS


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told: a webhook gets it as it stands, the others get title and text.

    Attributes:
        id: The same at each attempt to deliver it, another one for each channel.
        turn: `began`, `ended`, or `digest`.
        severity: `critical` or `warning`.
        title: One line.
        text: Some lines.
        alarm: Id of the alarm; empty in a digest.
        gateway: Serial; empty for the receiver itself.
        subject: What it is about.
        reason: The sentence about what is wrong.
        advice: What to do.
        began: UTC milliseconds.
        ended: UTC milliseconds.
        link: Where the page is.
    """

    id: str
    turn: str
    severity: str
    title: str
    text: str
    alarm: str = ""
    gateway: str = ""
    subject: str = ""
    reason: str = ""
    advice: str = ""
    began: int | None = None
    ended: int | None = None
    link: str | None = None


def name_notice(channel: str, key: AlarmKey, turn: str, began: int) -> str:
    """The id of a notice: the same whenever it is made of the same turn of the same alarm."""
    return _hash(channel, *key, turn, str(began))


def make_notice(
    channel: str, key: AlarmKey, state: AlarmState, turn: AlarmTurn, *, zone: tzinfo, name: str | None, link: str | None
) -> Notice:
    """What is told of a turn of an alarm.

    Args:
        channel: Whom it is for.
        key: The alarm.
        state: How it stands now: firing or ended.
        turn: What happened.
        zone: Of the site, for the times in the text.
        name: Of the site, if it has one.
        link: Where the page is, if people can open it.
    """
    definition = DEFINITIONS[key.alarm]
    began = state.began or state.since
    is_over = turn is AlarmTurn.ENDED
    words = definition.choose_words(key.gateway)
    title = f"{name}: {words.title}" if name else words.title
    if is_over:
        lasted = describe_duration(((state.ended or state.judged) - began) / 1000)
        lines = [f"It is over after {lasted}. It was: {state.reason}"]
    else:
        lines = [state.reason, words.advice, f"Since {format_time(state.since, zone)}."]
    return Notice(
        id=name_notice(channel, key, turn, began),
        turn=turn,
        severity=definition.severity,
        title=f"{title} is over" if is_over else title,
        text="\n".join(lines),
        alarm=key.alarm,
        gateway=key.gateway,
        subject=key.subject,
        reason=state.reason,
        advice=words.advice,
        began=began,
        ended=state.ended if is_over else None,
        link=link,
    )


def make_digest(channel: str, day: str, states: Mapping[AlarmKey, AlarmState], now_ms: int) -> Notice:
    """The digest of a day: what fires now, and what ended in the last 24 hours."""
    firing = [f"- {state.reason}" for _, state in _select(states, Phase.FIRING)]
    ended = [
        f"- {state.reason}"
        for _, state in _select(states, Phase.ENDED)
        if state.ended is not None and now_ms - state.ended <= DAY_MS
    ]
    title = f"{len(firing)} alarm{'s' if len(firing) != 1 else ''} now" if firing else "No alarm now"
    lines = [*(["Now:", *firing] if firing else []), *(["Over since yesterday:", *ended] if ended else [])]
    return Notice(
        id=_hash(channel, "digest", day),
        turn="digest",
        severity=Severity.WARNING,
        title=f"{title} ({day})",
        text="\n".join(lines) or "Nothing happened in the last 24 hours.",
    )


def format_time(at_ms: int, zone: tzinfo) -> str:
    """A time by the clock of the site."""
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z")


def _select(states: Mapping[AlarmKey, AlarmState], phase: Phase) -> Iterable[tuple[AlarmKey, AlarmState]]:
    return sorted((key, state) for key, state in states.items() if state.phase is phase)


def _hash(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

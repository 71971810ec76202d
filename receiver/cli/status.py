"""`envoy-receiver status`: which alarms fire."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import typer

from receiver import settings
from receiver.alarms.book_file import FILE, Standing, load_standing
from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.judgement import describe_seconds
from receiver.alarms.messages import format_time
from receiver.alarms.service import sort_alarms
from receiver.alarms.states import PAUSE_MS, Phase
from receiver.cli.console import show_errors_as_sentences
from shared.clock import SystemClock
from shared.logs import make_inert

_UTC = ZoneInfo("UTC")


def print_status() -> None:
    """Say which alarms fire, what is pending, and what ended in the last week. The exit status is 1 if one fires."""
    with show_errors_as_sentences():
        standing = load_standing(settings.load().state_dir / FILE)
        for line in describe_standing(standing, SystemClock().now_ms()):
            typer.echo(make_inert(line))
        if any(state.phase is Phase.FIRING for state in standing.states.values()):
            raise typer.Exit(1)


def describe_standing(standing: Standing, now_ms: int) -> Iterator[str]:
    """Lines for people: what stands, and whether that is of now (UTC milliseconds)."""
    if standing.judged is None:
        yield "alarms: nothing was judged here yet; the receiver does it once a minute while it runs"
        return
    if now_ms - standing.judged > PAUSE_MS:
        ago = describe_seconds((now_ms - standing.judged) / 1000)
        yield f"alarms: last judged {ago} ago, so this may be old; does the receiver run?"
    firing = [state for state in standing.states.values() if state.phase is Phase.FIRING]
    yield f"alarms: {len(firing) or 'none'} firing"
    for key, state in sort_alarms(list(standing.states.items())):
        definition = DEFINITIONS.get(key.alarm)
        if definition is None:
            continue
        when = _say_when(state.since, state.ended, state.phase)
        yield f"{state.phase.value:<8} {definition.title}: {state.reason} {when}"
        if state.phase is Phase.FIRING:
            yield f"         {definition.advice}"


def _say_when(since: int, ended: int | None, phase: Phase) -> str:
    if phase is Phase.ENDED and ended is not None:
        return f"Over since {format_time(ended, _UTC)}."
    return f"Since {format_time(since, _UTC)}."

"""`envoy-receiver status`: which alarms fire."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from zoneinfo import ZoneInfo

import typer

from receiver import settings
from receiver.alarms.book_file import FILE, Standing, load_standing
from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.messages import format_time
from receiver.alarms.service import sort_alarms
from receiver.alarms.states import PAUSE_MS, Phase
from receiver.cli.console import show_errors_as_sentences
from receiver.cli.zones import read_zones
from receiver.sites import find_machine_zone
from shared.clock import SystemClock
from shared.durations import describe_age
from shared.logs import make_inert


def print_status() -> None:
    """Say which alarms fire, what is pending, and what ended in the last week. The exit status is 1 if one fires."""
    with show_errors_as_sentences():
        chosen = settings.load()
        standing = load_standing(chosen.state_dir / FILE)
        zones = read_zones(chosen) if standing.states else {}
        for line in describe_standing(standing, SystemClock().now_ms(), zones):
            typer.echo(make_inert(line))
        if any(state.phase is Phase.FIRING for state in standing.states.values()):
            raise typer.Exit(1)


def describe_standing(standing: Standing, now_ms: int, zones: Mapping[str, tzinfo]) -> Iterator[str]:
    """Lines for people: what stands, and whether that is of now.

    Args:
        standing: What the receiver judged last.
        now_ms: UTC milliseconds.
        zones: Of the gateways; times of the receiver itself are those of the first one, as in messages.
    """
    elsewhere = next(iter(zones.values()), None) or ZoneInfo(find_machine_zone())
    if standing.judged is None:
        yield "alarms: nothing was judged here yet; the receiver does it once a minute while it runs"
        return
    if now_ms - standing.judged > PAUSE_MS:
        age = describe_age((now_ms - standing.judged) / 1000)
        yield f"alarms: last judged {age}, so this may be old; does the receiver run?"
    firing = [state for state in standing.states.values() if state.phase is Phase.FIRING]
    yield f"alarms: {len(firing) or 'none'} firing"
    for key, state in sort_alarms(list(standing.states.items())):
        definition = DEFINITIONS.get(key.alarm)
        if definition is None:
            continue
        words = definition.choose_words(key.gateway)
        when = _say_when(state.since, state.ended, state.phase, zones.get(key.gateway, elsewhere))
        yield f"{state.phase.value:<8} {words.title}: {state.reason} {when}"
        if state.phase is Phase.FIRING:
            yield f"         {words.advice}"


def _say_when(since: int, ended: int | None, phase: Phase, zone: tzinfo) -> str:
    if phase is Phase.ENDED and ended is not None:
        return f"Over since {format_time(ended, zone)}."
    return f"Since {format_time(since, zone)}."

"""What a store holds against what the gateway sent, as its ledger says: each difference in words."""

from collections import Counter

from tests.end_to_end.ledger import (
    Fields,
    MeterPhase,
    SentReading,
    list_reports,
    parse_meter_values,
    parse_stream_event,
)
from tests.end_to_end.stored import Contents

ARRIVAL_MS = 15_000
"""A stamp is the arrival at the scraper: this far from the sending at most, on a machine that is very busy."""


def find_foreign_meter_values(stored: Contents, sent: list[SentReading]) -> list[str]:
    """Stored values of meters that the gateway did not send at about that time, to that meter and phase."""
    said: dict[tuple[str, MeterPhase, str, float], list[int]] = {}
    for entry in sent:
        for kind, phase, fields in _list_said(entry):
            for name, value in fields.items():
                said.setdefault((kind, phase, name, value), []).append(entry.sent_ms)
    return [
        f"{key} {name} = {value}"
        for key, fields in stored.items()
        if key.kind in ("meter", "meter_energy")
        for name, value in fields.items()
        if not any(
            abs(moment - key.timestamp) < ARRIVAL_MS
            for moment in said.get((key.kind, _get_phase(key.tags), name, value), ())
        )
    ]


def _list_said(entry: SentReading) -> list[tuple[str, MeterPhase, Fields]]:
    if entry.kind == "stream":
        return [("meter", phase, fields) for phase, fields in parse_stream_event(entry.values).items()]
    if entry.kind == "readings":
        both = parse_meter_values(entry.values).items()
        return [("meter", phase, values) for phase, (values, _) in both] + [
            ("meter_energy", phase, counters) for phase, (_, counters) in both
        ]
    return []


def _get_phase(tags: tuple[tuple[str, str], ...]) -> MeterPhase:
    named = dict(tags)
    return named["meter"], named["phase"]


def find_foreign_reports(stored: Contents, sent: list[SentReading]) -> list[str]:
    """Stored inverter readings with a date or a value that the inverter never reported."""
    said: Counter[tuple[str, int, str, float]] = Counter()
    for entry in sent:
        if entry.kind in ("inverters", "device_data"):
            for serial, date, fields in list_reports(entry):
                said.update((serial, date, name, value) for name, value in fields.items())
    return [
        f"{key} {name} = {value}"
        for key, fields in stored.items()
        if key.kind == "inverter"
        for name, value in fields.items()
        if (key.tags[0][1], key.timestamp, name, value) not in said
    ]


def find_missing_reports(stored: Contents, sent: list[SentReading], lives: list[tuple[int, int]]) -> list[str]:
    """Reports of polls that were finished (the next job had begun in the same life) and that are not stored."""
    kept = {(key.tags[0][1], key.timestamp): fields for key, fields in stored.items() if key.kind == "inverter"}
    lines = []
    finished = 0
    for begin, end in lives:
        within = [entry for entry in sent if begin <= entry.sent_ms <= end]
        last = max((index for index, entry in enumerate(within) if entry.kind == "readings"), default=0)
        for entry in within[:last]:
            if entry.kind == "inverters":
                finished += 1
                for serial, date, fields in list_reports(entry):
                    found = kept.get((serial, date), {})
                    if not fields.items() <= found.items():
                        lines.append(f"{serial} {date}: {fields}, stored {found}")
    assert finished, "no poll was finished"
    return lines


def compare_stream(stored: Contents, sent: list[SentReading], life: tuple[int, int]) -> int:
    """Check one life of the scraper against the stream; how many events were there, each meter, phase and field.

    The events of a second are the same on every connection, so the device's second names an event. Seconds without a
    break in the ledger are one connection; its last events may have been on the way when the scraper died.
    """
    begin, end = life
    within = [entry for entry in sent if begin <= entry.sent_ms <= end]
    events = {entry.second: parse_stream_event(entry.values) for entry in within if entry.kind == "stream"}
    polls = [parse_meter_values(entry.values) for entry in within if entry.kind == "readings"]
    points: dict[MeterPhase, list[Fields]] = {}
    for key in sorted(stored):
        if key.kind == "meter" and begin <= key.timestamp <= end:
            points.setdefault(_get_phase(key.tags), []).append(stored[key])
    complete: set[int] = set()
    for phase, series in points.items():
        streamed = {second: event[phase] for second, event in events.items()}
        complete |= _compare_series(phase, series, streamed, [poll[phase][0] for poll in polls if phase in poll])
    return len(complete)


def _compare_series(
    phase: MeterPhase, points: list[Fields], events: dict[int, Fields], polls: list[Fields]
) -> set[int]:
    """Check one series; the seconds that are there. The active power's noise makes the events distinct."""
    seconds: dict[frozenset[tuple[str, float]], int | None] = {frozenset(poll.items()): None for poll in polls}
    seconds |= {frozenset(fields.items()): second for second, fields in events.items()}
    state: Fields = {}
    found: list[int] = []
    for fields in points:  # a field that is absent repeats the one before
        state = {**state, **fields}
        known = frozenset(state.items())
        assert known in seconds, f"{phase}: {state} is neither an event nor a poll of this life"
        second = seconds[known]
        if second is not None:
            found.append(second)
    assert found == sorted(found), f"{phase}: events out of order: {found}"
    for first, last in _find_unbroken(sorted(events)):
        there = {second for second in found if first <= second <= last}
        if there:
            wanted = set(range(min(there), max(there) + 1))
            assert there == wanted, f"{phase}: events of seconds {sorted(wanted - there)} are not stored"
    return set(found)


def _find_unbroken(seconds: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive seconds: first and last of each."""
    runs: list[tuple[int, int]] = []
    for second in seconds:
        if runs and second == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], second)
        else:
            runs.append((second, second))
    return runs

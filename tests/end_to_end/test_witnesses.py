"""The end-to-end tests' own eyes: they see a reading that is lost, doubled, altered or invented."""

from typing import Any

import pytest

from tests.end_to_end.comparison import (
    compare_stream,
    find_foreign_meter_values,
    find_foreign_reports,
    find_missing_reports,
)
from tests.end_to_end.ledger import SentReading
from tests.end_to_end.stored import Contents, ReadingIdentity, find_differences, merge

GATEWAY = "122300001234"
LIFE = (0, 10_000)


def make_key(timestamp: int, kind: str = "meter", **tags: str) -> ReadingIdentity:
    tags = tags or {"meter": "production", "phase": "a"}
    return ReadingIdentity(GATEWAY, kind, tuple(sorted(tags.items())), timestamp)


def make_event(second: int, power: float) -> SentReading:
    """One event a second whose voltage never changes."""
    values = {"production": {"ph-a": {"p": power, "v": 230.0}}}
    return SentReading("stream", second * 1000, second, values)


def make_listing(second: int, date: int, watts: int) -> SentReading:
    entry = {"serialNumber": "1", "lastReportDate": date, "lastReportWatts": watts, "maxReportWatts": 250}
    return SentReading("inverters", second * 1000, second, [entry])


SENT = [make_event(second, 100.0 + second) for second in range(1, 6)]


def make_stored() -> Contents:
    """Everything of SENT, the voltage once, and once that it was measured."""
    points: Contents = {make_key(second * 1000 + 20): {"power": 100.0 + second} for second in range(1, 6)}
    points[make_key(1020)] |= {"voltage": 230.0, "measured": 1.0}
    return points


def test_a_faithful_store_passes() -> None:
    assert compare_stream(make_stored(), SENT, LIFE) == 5
    assert find_foreign_meter_values(make_stored(), SENT) == []
    assert find_differences(make_stored(), make_stored()) == []


def test_an_event_that_is_missing_in_the_middle_is_seen() -> None:
    holed = make_stored()
    del holed[make_key(3020)]
    with pytest.raises(AssertionError, match=r"\[3\] are not stored"):
        compare_stream(holed, SENT, LIFE)


def test_an_event_with_one_wrong_field_is_seen() -> None:
    bent = make_stored()
    bent[make_key(3020)]["voltage"] = 231.0
    with pytest.raises(AssertionError, match="neither an event nor a poll"):
        compare_stream(bent, SENT, LIFE)
    assert len(find_foreign_meter_values(bent, SENT)) == 1


def test_events_in_the_wrong_order_are_seen() -> None:
    swapped = make_stored()
    swapped[make_key(2020)], swapped[make_key(3020)] = swapped[make_key(3020)], swapped[make_key(2020)]
    with pytest.raises(AssertionError, match="out of order"):
        compare_stream(swapped, SENT, LIFE)


def test_the_tail_of_a_life_may_be_missing() -> None:
    cut = make_stored()
    del cut[make_key(5020)]
    assert compare_stream(cut, SENT, LIFE) == 4


def test_a_value_under_another_phase_or_time_is_seen() -> None:
    points: Contents = {
        make_key(1020, meter="production", phase="b"): {"power": 101.0},
        make_key(99_000): {"power": 101.0},
    }
    assert len(find_foreign_meter_values(points, SENT)) == 2


def test_a_lost_an_altered_and_an_invented_identity_are_seen() -> None:
    found = make_stored()
    del found[make_key(1020)]
    found[make_key(2020)] = {"power": 0.0}
    found[make_key(7000)] = {"power": 1.0}
    assert [line.partition(":")[0] for line in find_differences(make_stored(), found)] == [
        "lost",
        "invented",
        "altered",
    ]


def test_two_values_for_one_field_are_a_conflict_and_other_fields_merge() -> None:
    def make_reading(**fields: Any) -> dict[str, Any]:
        return {"kind": "meter", "tags": {"meter": "production", "phase": "a"}, "timestamp": 1, "fields": fields}

    contents, conflicts = merge(GATEWAY, [make_reading(power=1.0), make_reading(voltage=2.0), make_reading(power=1.0)])
    assert (contents, conflicts) == ({make_key(1): {"power": 1.0, "voltage": 2.0}}, [])
    assert len(merge(GATEWAY, [make_reading(power=1.0), make_reading(power=3.0)])[1]) == 1


def test_a_report_of_a_finished_poll_that_is_not_stored_is_seen() -> None:
    sent = [make_listing(1, 900, 200), SentReading("readings", 2000, 2, []), make_listing(3, 1800, 210)]
    kept: Contents = {make_key(900_000, "inverter", inverter="1"): {"power": 200.0, "max_power": 250.0}}
    assert find_missing_reports(kept, sent, [LIFE]) == []
    assert len(find_missing_reports({}, sent, [LIFE])) == 1
    assert find_foreign_reports(kept, sent) == []
    kept[make_key(900_000, "inverter", inverter="1")]["power"] = 199.0
    assert len(find_foreign_reports(kept, sent)) == 1

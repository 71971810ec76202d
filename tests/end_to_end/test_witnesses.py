"""The end-to-end tests' own eyes: they see a reading that is lost, doubled, altered or invented."""

from typing import Any

import pytest

from tests.end_to_end.comparison import compare_stream, foreign_meter_values, foreign_reports, missing_reports
from tests.end_to_end.ledger import SentReading
from tests.end_to_end.stored import Contents, ReadingIdentity, differences, merge

GATEWAY = "122300001234"
LIFE = (0, 10_000)


def key(timestamp: int, kind: str = "meter", **tags: str) -> ReadingIdentity:
    tags = tags or {"meter": "production", "phase": "a"}
    return ReadingIdentity(GATEWAY, kind, tuple(sorted(tags.items())), timestamp)


def event(second: int, power: float) -> SentReading:
    """One event a second whose voltage never changes."""
    values = {"production": {"ph-a": {"p": power, "v": 230.0}}}
    return SentReading("stream", second * 1000, second, values)


def listed(second: int, date: int, watts: int) -> SentReading:
    entry = {"serialNumber": "1", "lastReportDate": date, "lastReportWatts": watts, "maxReportWatts": 250}
    return SentReading("inverters", second * 1000, second, [entry])


SENT = [event(second, 100.0 + second) for second in range(1, 6)]


def stored() -> Contents:
    """Everything of SENT, the voltage once."""
    points: Contents = {key(second * 1000 + 20): {"power": 100.0 + second} for second in range(1, 6)}
    points[key(1020)]["voltage"] = 230.0
    return points


def test_a_faithful_store_passes() -> None:
    assert compare_stream(stored(), SENT, LIFE) == 5
    assert foreign_meter_values(stored(), SENT) == []
    assert differences(stored(), stored()) == []


def test_an_event_that_is_missing_in_the_middle_is_seen() -> None:
    holed = stored()
    del holed[key(3020)]
    with pytest.raises(AssertionError, match=r"\[3\] are not stored"):
        compare_stream(holed, SENT, LIFE)


def test_an_event_with_one_wrong_field_is_seen() -> None:
    bent = stored()
    bent[key(3020)]["voltage"] = 231.0
    with pytest.raises(AssertionError, match="neither an event nor a poll"):
        compare_stream(bent, SENT, LIFE)
    assert len(foreign_meter_values(bent, SENT)) == 1


def test_events_in_the_wrong_order_are_seen() -> None:
    swapped = stored()
    swapped[key(2020)], swapped[key(3020)] = swapped[key(3020)], swapped[key(2020)]
    with pytest.raises(AssertionError, match="out of order"):
        compare_stream(swapped, SENT, LIFE)


def test_the_tail_of_a_life_may_be_missing() -> None:
    cut = stored()
    del cut[key(5020)]
    assert compare_stream(cut, SENT, LIFE) == 4


def test_a_value_under_another_phase_or_time_is_seen() -> None:
    points: Contents = {key(1020, meter="production", phase="b"): {"power": 101.0}, key(99_000): {"power": 101.0}}
    assert len(foreign_meter_values(points, SENT)) == 2


def test_a_lost_an_altered_and_an_invented_identity_are_seen() -> None:
    found = stored()
    del found[key(1020)]
    found[key(2020)] = {"power": 0.0}
    found[key(7000)] = {"power": 1.0}
    assert [line.partition(":")[0] for line in differences(stored(), found)] == ["lost", "invented", "altered"]


def test_two_values_for_one_field_are_a_conflict_and_other_fields_merge() -> None:
    def reading(**fields: Any) -> dict[str, Any]:
        return {"kind": "meter", "tags": {"meter": "production", "phase": "a"}, "timestamp": 1, "fields": fields}

    contents, conflicts = merge(GATEWAY, [reading(power=1.0), reading(voltage=2.0), reading(power=1.0)])
    assert (contents, conflicts) == ({key(1): {"power": 1.0, "voltage": 2.0}}, [])
    assert len(merge(GATEWAY, [reading(power=1.0), reading(power=3.0)])[1]) == 1


def test_a_report_of_a_finished_poll_that_is_not_stored_is_seen() -> None:
    sent = [listed(1, 900, 200), SentReading("readings", 2000, 2, []), listed(3, 1800, 210)]
    kept: Contents = {key(900_000, "inverter", inverter="1"): {"power": 200.0, "max_power": 250.0}}
    assert missing_reports(kept, sent, [LIFE]) == []
    assert len(missing_reports({}, sent, [LIFE])) == 1
    assert foreign_reports(kept, sent) == []
    kept[key(900_000, "inverter", inverter="1")]["power"] = 199.0
    assert len(foreign_reports(kept, sent)) == 1

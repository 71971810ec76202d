"""Times, zones and steps as people write them."""

from zoneinfo import ZoneInfo

import pytest

from receiver.errors import RefusedError
from receiver.queries.times import parse_instant, parse_range, parse_step, parse_zone
from receiver.sites.model import NO_SITE, Site
from tests.receiver.instants import STEPS, to_ms

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3_600_000, 86_400_000


NOW = to_ms("2025-03-31T12:34:56.789+02:00")


def read_refusal(call, *args, **kwargs) -> str:
    with pytest.raises(RefusedError) as caught:
        call(*args, **kwargs)
    assert caught.value.detail is not None
    return caught.value.detail


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", "2025-03-31T12:34:56.789+02:00"),
        (" now ", "2025-03-31T12:34:56.789+02:00"),
        ("today", "2025-03-31T00:00:00+02:00"),
        ("yesterday", "2025-03-30T00:00:00+01:00"),
        ("-30s", "2025-03-31T12:34:26.789+02:00"),
        ("-30m", "2025-03-31T12:04:56.789+02:00"),
        # The clock went forward on the 30th: 48 hours ago it was an hour earlier by the wall, two days ago it was not.
        ("-48h", "2025-03-29T11:34:56.789+01:00"),
        ("-2d", "2025-03-29T12:34:56.789+01:00"),
        ("-1w", "2025-03-24T12:34:56.789+01:00"),
        ("-1mo", "2025-02-28T12:34:56.789+01:00"),
        ("-13mo", "2024-02-29T12:34:56.789+01:00"),
        ("-1y", "2024-03-31T12:34:56.789+02:00"),
        ("2025-03-30", "2025-03-30T00:00:00+01:00"),
        ("2025-07", "2025-07-01T00:00:00+02:00"),
        ("2024", "2024-01-01T00:00:00+01:00"),
        ("2025-07-01T12:00", "2025-07-01T12:00:00+02:00"),
        ("2025-07-01 12:00:00", "2025-07-01T12:00:00+02:00"),
        ("2025-07-01T12:00:00Z", "2025-07-01T12:00:00+00:00"),
        ("2025-07-01T12:00:00-05:00", "2025-07-01T12:00:00-05:00"),
        ("2025-07-01T12:00:00 05:30", "2025-07-01T12:00:00+05:30"),
        ("2025-10-26T02:30", "2025-10-26T02:30:00+02:00"),
        ("1743417296789", "2025-03-31T12:34:56.789+02:00"),
    ],
)
def test_an_instant_may_be_written_in_many_ways(text, wanted):
    """Hours are those of physics, days and months those of the local calendar."""
    assert parse_instant("start", text, BERLIN, NOW) == to_ms(wanted)


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "24h", "+24h", "-h", "-1.5h", "-24H", "-24 h", "2025-13-01", "2025-02-30", "2025-13", "2025-00", "2025-7", "2201-01", "12:00", "1e12", "-5",
     "\u0662\u0660\u0662\u0665-\u0660\u0661-\u0660\u0661", "-\u0662h", "99999999999999999999", "-999999999y", "-999999999d", "0001-01-01", "9999-12-31T23:59:59-14:00",
     "2025-01-01'; DROP TABLE meter", "{start}", "-24h\x00"],
)  # fmt: skip
def test_what_is_no_instant_is_refused_by_its_parameter(text):
    """The sentence names the parameter and says what would do; nothing of what was sent is in it."""
    sentence = read_refusal(parse_instant, "stop", text, BERLIN, NOW)
    assert sentence in {
        read_refusal(parse_instant, "stop", unlike, BERLIN, NOW) for unlike in ("x", "9999999999999999")
    }


def test_there_is_time_between_start_and_stop():
    assert parse_range(None, None, BERLIN, NOW) == (NOW - DAY, NOW)
    assert parse_range(None, None, BERLIN, NOW, default="today") == (to_ms("2025-03-31T00:00+02:00"), NOW)
    assert "later than start" in read_refusal(parse_range, "now", None, BERLIN, NOW)
    assert "later than start" in read_refusal(parse_range, "-1h", "-2h", BERLIN, NOW)


def test_the_zone_is_the_one_asked_for_then_the_sites_then_utc():
    assert parse_zone("Asia/Tokyo", Site(time_zone="Europe/Berlin")).key == "Asia/Tokyo"
    assert parse_zone(None, Site(time_zone="Europe/Berlin")).key == "Europe/Berlin"
    assert parse_zone(None, NO_SITE).key == "UTC"
    for name in ("", "Berlin", "europe/berlin", "../../etc/passwd", "/etc/localtime", "UTC\x00", "+01:00"):
        assert read_refusal(parse_zone, name, NO_SITE) == "time_zone must be an IANA name such as Europe/Berlin."


@pytest.mark.parametrize("text", STEPS)
def test_a_step_is_read_as_it_is_written(text):
    assert str(parse_step(text)) == text


@pytest.mark.parametrize(
    "text", ["", "h", "0h", "-1h", "1", "1.5h", "01h", "24h", "1440m", "86400s", "99999h", "2d", "2w", "5mo", "12mo",
             "2y", "1 h", "1H", "1min", "\u0661h", "999999s"],
)  # fmt: skip
def test_what_is_no_step_is_refused(text):
    assert read_refusal(parse_step, text).startswith("every ")

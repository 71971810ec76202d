"""Every alert rule: its query runs on a real InfluxDB, and it fires for what it is meant for and for nothing else."""

from collections.abc import Callable

import pytest
import yaml

from grafana.generated import HERE
from receiver.rollups.panels import make_panel_rows
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints
from shared.readings import Series
from tests.grafana.alarm_data import (
    GATEWAY,
    NIGHT,
    NOON,
    OTHER_GATEWAY,
    encode_line,
    make_battery_states,
    make_grid_states,
    write_gap_event,
    write_panel_quarters,
    write_scraper_report,
    write_scraper_reports,
    write_voltages,
)
from tests.grafana.alarm_evaluation import (
    DAY,
    HOUR,
    MINUTE,
    AlarmBucket,
    Rule,
    evaluate,
    find_alarms,
    list_gateways,
    render_summaries,
)
from tests.influxd.server import Influxd

RULES: dict[str, Rule] = {
    rule["uid"]: rule
    for group in yaml.safe_load((HERE / "provisioning/alerting/rules.yaml").read_text())["groups"]
    for rule in group["rules"]
}


def test_there_are_the_eleven_rules() -> None:
    assert len(RULES) == 11


@pytest.fixture(scope="module")
def empty_bucket(server: Influxd) -> AlarmBucket:
    """Nothing was ever written."""
    server.make_bucket("fresh")
    return AlarmBucket(server, "fresh")


@pytest.fixture(scope="module")
def healthy_bucket(server: Influxd) -> AlarmBucket:
    """A good day, and the night after it."""
    server.make_bucket("well")
    bucket = AlarmBucket(server, "well")
    for now in (NOON, NIGHT):
        bucket.write(
            *write_scraper_reports(
                now - 2 * HOUR, now + HOUR, token_expires_in=300.0 * DAY, role="owner", certificate_changed=0.0
            ),
            *write_gap_event(now - DAY, now - DAY + 5 * MINUTE),
            *write_voltages("a", 235, 233, until=now),
            *write_panel_quarters("7", now, "0" * 20, peers=180.0 if now == NOON else 0.0),
            *make_grid_states(now - HOUR, now + HOUR),
            *make_battery_states(now - HOUR, now + HOUR),
        )
    return bucket


@pytest.mark.parametrize("uid", RULES)
def test_a_fresh_system_without_data_raises_no_alarm(uid: str, empty_bucket: AlarmBucket) -> None:
    assert find_alarms(empty_bucket, RULES[uid], NOON, NOON + 20 * MINUTE) == set()


@pytest.mark.parametrize("uid", RULES)
@pytest.mark.parametrize("now", [NOON, NIGHT], ids=["noon", "night"])
def test_a_system_that_is_well_raises_no_alarm(uid: str, now: int, healthy_bucket: AlarmBucket) -> None:
    assert find_alarms(healthy_bucket, RULES[uid], now, now + 20 * MINUTE) == set()


class TestGatewaySilent:
    RULE = RULES["envoy-gateway-silent"]

    def test_an_open_gap_is_told_of_the_gateway_that_has_it(self, bucket: AlarmBucket) -> None:
        bucket.write(
            *write_scraper_reports(NOON - HOUR, NOON, GATEWAY),
            *write_scraper_reports(NOON - HOUR, NOON, OTHER_GATEWAY),
            *write_gap_event(NOON - 20 * MINUTE),
        )
        assert list_gateways(find_alarms(bucket, self.RULE, NOON - 15 * MINUTE, NOON)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"There have been no readings of gateway {GATEWAY} for more than 10 minutes."
        ]

    @pytest.mark.parametrize(("minutes", "alarms"), [(9, set()), (25, {GATEWAY})])
    def test_the_nightly_pause_is_an_alarm_only_if_it_lasts(
        self, bucket: AlarmBucket, minutes: int, alarms: set[str]
    ) -> None:
        """While it lasts the event has no end; so look at each minute as it was then."""
        start, sent = NOON + 11 * HOUR, set()
        bucket.write(*write_scraper_reports(start - HOUR, start + HOUR), *write_gap_event(start))
        sent = list_gateways(find_alarms(bucket, self.RULE, start + 2 * MINUTE, start + minutes * MINUTE))
        bucket.write(*write_gap_event(start, start + minutes * MINUTE))
        assert sent == alarms
        assert find_alarms(bucket, self.RULE, start + minutes * MINUTE, start + HOUR) == set()

    def test_a_gateway_that_is_away_when_its_scraper_starts_again_is_one(self, bucket: AlarmBucket) -> None:
        """The gap is still the one that the orderly stop opened."""
        bucket.write(
            *write_gap_event(NOON - HOUR),
            *write_scraper_reports(NOON - 30 * MINUTE, NOON),
            *write_gap_event(NOON - HOUR, NOON - MINUTE, OTHER_GATEWAY),
        )
        assert list_gateways(find_alarms(bucket, self.RULE, NOON - 15 * MINUTE, NOON)) == {GATEWAY}


class TestScraperSilent:
    RULE = RULES["envoy-scraper-silent"]

    def test_a_series_that_stops_fires_for_days(self, bucket: AlarmBucket) -> None:
        bucket.write(
            *write_scraper_reports(NOON - 2 * HOUR, NOON - HOUR),
            *write_scraper_reports(NOON - 2 * HOUR, NOON + 3 * DAY, OTHER_GATEWAY),
        )
        for later in (0, 3 * DAY):
            assert list_gateways(find_alarms(bucket, self.RULE, NOON + later - 20 * MINUTE, NOON + later)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"Nothing has arrived from the scraper of gateway {GATEWAY} for more than 15 minutes."
        ]

    def test_a_pause_of_ten_minutes_is_none(self, bucket: AlarmBucket) -> None:
        bucket.write(
            *write_scraper_reports(NOON - HOUR, NOON - 20 * MINUTE),
            *write_scraper_reports(NOON - 10 * MINUTE, NOON + 20 * MINUTE),
        )
        assert find_alarms(bucket, self.RULE, NOON - HOUR, NOON + 20 * MINUTE) == set()


class TestBacklogGrowing:
    RULE = RULES["envoy-backlog-growing"]

    def test_more_and_more_rows_fire(self, bucket: AlarmBucket) -> None:
        times = range(NOON - 2 * HOUR, NOON + 1, MINUTE)
        bucket.write(
            *(write_scraper_report(at, outbox_rows=float(2000 + 10 * number)) for number, at in enumerate(times))
        )
        assert list_gateways(find_alarms(bucket, self.RULE, NOON - 20 * MINUTE, NOON)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"3050 readings wait at the scraper of gateway {GATEWAY}, more than an hour ago."
        ]

    @pytest.mark.parametrize("rows", [lambda n: 90_000 - 100 * n, lambda n: 3 * n], ids=["draining", "few"])
    def test_a_backlog_that_drains_and_a_small_one_do_not(
        self, bucket: AlarmBucket, rows: Callable[[int], int]
    ) -> None:
        times = range(NOON - 2 * HOUR, NOON + 1, MINUTE)
        bucket.write(*(write_scraper_report(at, outbox_rows=float(rows(number))) for number, at in enumerate(times)))
        assert find_alarms(bucket, self.RULE, NOON - 20 * MINUTE, NOON) == set()


class TestTokenExpiring:
    RULE = RULES["envoy-token-expiring"]

    def test_ten_days_left_fire(self, bucket: AlarmBucket) -> None:
        bucket.write(*write_scraper_reports(NOON - HOUR, NOON, token_expires_in=10.0 * DAY, role="owner"))
        assert list_gateways(find_alarms(bucket, self.RULE, NOON - 15 * MINUTE, NOON)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"The token of gateway {GATEWAY} is good for 10 days more."
        ]

    def test_tokens_of_installers_do_not(self, bucket: AlarmBucket) -> None:
        bucket.write(*write_scraper_reports(NOON - HOUR, NOON, token_expires_in=6.0 * HOUR, role="installer"))
        assert find_alarms(bucket, self.RULE, NOON - 15 * MINUTE, NOON) == set()


class TestLosses:
    RULE = RULES["envoy-losses"]

    def test_an_increase_fires_for_a_day(self, bucket: AlarmBucket) -> None:
        bucket.write(
            *write_scraper_reports(NOON - 5 * HOUR, NOON - 4 * HOUR, lost_rows=7.0),
            *write_scraper_reports(NOON - 3 * HOUR, NOON, lost_rows=1207.0),
            *write_scraper_reports(NOON - 5 * HOUR, NOON, OTHER_GATEWAY),
        )
        assert list_gateways(find_alarms(bucket, self.RULE, NOON, NOON)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"1200 readings of gateway {GATEWAY} were lost for good in the last 24 hours."
        ]

    def test_old_losses_and_a_counter_that_starts_again_do_not(self, bucket: AlarmBucket) -> None:
        bucket.write(
            *write_scraper_reports(NOON - DAY, NOON - HOUR, lost_rows=500.0),
            *write_scraper_reports(NOON - HOUR + MINUTE, NOON),
        )
        assert find_alarms(bucket, self.RULE, NOON, NOON) == set()


class TestPanelDead:
    RULE = RULES["envoy-panel-dead"]

    def test_an_hour_of_nothing_by_day_fires_and_stays_through_the_night(self, bucket: AlarmBucket) -> None:
        bucket.write(*write_panel_quarters("7", NOON, "00001111"), *write_panel_quarters("8", NOON, "00000000"))
        bucket.write(
            *write_panel_quarters("7", NIGHT, "0000000000", peers=0.0),
            *write_panel_quarters("8", NIGHT, "0000000000", peers=0.0),
        )
        for now in (NOON, NIGHT):
            (labels,) = find_alarms(bucket, self.RULE, now, now + 5 * MINUTE)
            assert dict(labels) == {"gateway": GATEWAY, "array": "South", "panel": "7", "inverter": "48207"}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"Panel 7 (array South) of gateway {GATEWAY} has given nothing for an hour of daylight in which its peers produced."
        ]

    @pytest.mark.parametrize("dead", ["111", "11101", "11110"], ids=["not yet an hour", "with a pause", "mended"])
    def test_less_than_that_does_not(self, bucket: AlarmBucket, dead: str) -> None:
        bucket.write(*write_panel_quarters("7", NOON, dead))
        assert find_alarms(bucket, self.RULE, NOON, NOON + 5 * MINUTE) == set()

    @pytest.mark.parametrize("death", ["goes silent", "reports nothing but zeros"])
    def test_what_the_roll_ups_make_of_a_dead_inverter_fires(self, bucket: AlarmBucket, death: str) -> None:
        """From the reports of three inverters, one of which dies at ten."""
        ten, raw = NOON - 2 * HOUR, []
        for serial in ("482000000001", "482000000002", "482000000003"):
            dies = serial.endswith("2")
            points = [
                Point(at * 1000, {"power": 0.0 if dies and at > ten else 200.0, "interval": 300.0})
                for at in range(NOON - 4 * HOUR, NOON + 1, 300)
                if at <= ten or not dies or death != "goes silent"
            ]
            raw.append(SeriesPoints(Series("inverter", (("inverter", serial),)), points))
        rows = make_panel_rows(raw, Site(), [at * 1000 for at in range(NOON - 3 * HOUR, NOON + 1, 15 * MINUTE)])
        bucket.write(*(encode_line(row) for row in rows))
        assert [dict(labels)["inverter"] for labels in find_alarms(bucket, self.RULE, NOON, NOON + 5 * MINUTE)] == [
            "482000000002"
        ]


class TestPhaseVoltage:
    RULE = RULES["envoy-phase-voltage"]

    @pytest.mark.parametrize(
        ("usual", "now"), [(235, 256), (235, 204), (121, 134), (121, 105), (235, 0)], ids="{}".format
    )
    def test_too_high_too_low_and_lost_fire(self, bucket: AlarmBucket, usual: float, now: float) -> None:
        bucket.write(*write_voltages("a", 235, 230), *write_voltages("b", usual, now))
        (labels,) = find_alarms(bucket, self.RULE, NOON, NOON + 5 * MINUTE)
        assert dict(labels) == {"gateway": GATEWAY, "phase": "b"}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"The voltage of phase b at gateway {GATEWAY} is {now} V, more than 10 % from nominal."
        ]

    @pytest.mark.parametrize(("usual", "now"), [(240, 252), (122, 110), (127, 130), (0.4, 0.3)], ids="{}".format)
    def test_what_grids_are_allowed_and_unwired_phases_do_not(
        self, bucket: AlarmBucket, usual: float, now: float
    ) -> None:
        bucket.write(*write_voltages("a", usual, now))
        assert find_alarms(bucket, self.RULE, NOON, NOON + 5 * MINUTE) == set()


class TestCertificateChanged:
    RULE = RULES["envoy-certificate-changed"]

    def test_it_fires_until_it_is_trusted(self, bucket: AlarmBucket) -> None:
        bucket.write(*write_scraper_reports(NOON - HOUR, NOON, certificate_changed=1.0))
        assert list_gateways(find_alarms(bucket, self.RULE, NOON, NOON)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON)[0].startswith(f"Gateway {GATEWAY} shows a certificate")
        bucket.write(write_scraper_report(NOON + MINUTE, certificate_changed=0.0))
        assert evaluate(bucket, self.RULE, NOON + MINUTE).met == set()

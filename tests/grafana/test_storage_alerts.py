"""The alert rules of batteries and grid: each fires for what it is meant for and for nothing else."""

import pytest

from tests.grafana.alarm_data import GATEWAY, NOON, OTHER_GATEWAY, make_battery_states, make_grid_states
from tests.grafana.alarm_evaluation import HOUR, MINUTE, AlarmBucket, find_alarms, list_gateways, render_summaries
from tests.grafana.test_alerts import RULES


class TestGridLost:
    RULE = RULES["envoy-grid-lost"]

    def test_an_open_relay_is_told_until_it_is_closed_again(self, bucket: AlarmBucket) -> None:
        bucket.write(
            *make_grid_states(NOON - HOUR, NOON - 11 * MINUTE),
            *make_grid_states(NOON - 10 * MINUTE, NOON + 10 * MINUTE, connected=0.0),
            *make_grid_states(NOON + 11 * MINUTE, NOON + HOUR),
            *make_grid_states(NOON - HOUR, NOON + HOUR, OTHER_GATEWAY),
        )
        assert list_gateways(find_alarms(bucket, self.RULE, NOON - 9 * MINUTE, NOON + 10 * MINUTE)) == {GATEWAY}
        assert render_summaries(bucket, self.RULE, NOON) == [
            f"The house of gateway {GATEWAY} is cut off from the grid."
        ]
        assert find_alarms(bucket, self.RULE, NOON + 12 * MINUTE, NOON + HOUR) == set()

    def test_a_gateway_that_says_nothing_of_its_relay_any_more_is_no_lost_grid(self, bucket: AlarmBucket) -> None:
        bucket.write(*make_grid_states(NOON - 2 * HOUR, NOON - HOUR, connected=0.0))
        assert find_alarms(bucket, self.RULE, NOON - 20 * MINUTE, NOON) == set()


class TestBatteryNotReporting:
    RULE = RULES["envoy-battery-not-reporting"]

    @pytest.mark.parametrize(("minutes", "alarms"), [(20, set()), (40, {GATEWAY})])
    def test_a_silent_battery_is_told_after_half_an_hour(
        self, bucket: AlarmBucket, minutes: int, alarms: set[str]
    ) -> None:
        silent = NOON - minutes * MINUTE
        bucket.write(
            *make_battery_states(NOON - 2 * HOUR, silent - MINUTE),
            *make_battery_states(silent, NOON, communicating=0.0),
            *make_battery_states(NOON - 2 * HOUR, NOON, battery="492320000102"),
        )
        assert list_gateways(find_alarms(bucket, self.RULE, NOON - HOUR, NOON)) == alarms

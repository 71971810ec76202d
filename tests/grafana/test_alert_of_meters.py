"""The rule about a production meter that contradicts the inverters, on a real InfluxDB."""

import pytest

from tests.grafana.alarm_data import GATEWAY, NOON
from tests.grafana.alarm_evaluation import HOUR, MINUTE, AlarmBucket, find_alarms
from tests.grafana.test_alerts import RULES
from tests.influxd.server import Influxd

RULE = RULES["envoy-meter-contradicts"]


@pytest.fixture
def bucket(shared_influxd: Influxd, request: pytest.FixtureRequest) -> AlarmBucket:
    """An empty bucket of this test alone."""
    name = f"meters-{abs(hash(request.node.nodeid))}"
    shared_influxd.make_bucket(name)
    return AlarmBucket(shared_influxd, name)


def write_hours(bucket: AlarmBucket, made: float, reported: float) -> None:
    minutes = [f"site_1m,gateway={GATEWAY} production={made} {at}" for at in range(NOON - 2 * HOUR, NOON, MINUTE)]
    quarters = [
        f"panel_15m,gateway={GATEWAY},array=-,panel={panel},inverter={panel} power={reported / 2} {at}"
        for panel in ("1", "2")
        for at in range(NOON - 2 * HOUR, NOON, 15 * MINUTE)
    ]
    bucket.write(*minutes, *quarters)


def test_a_meter_without_transformer_fires(bucket: AlarmBucket) -> None:
    write_hours(bucket, -1.0, 3010.0)
    (labels,) = find_alarms(bucket, RULE, NOON, NOON + 20 * MINUTE)
    assert dict(labels) == {"gateway": GATEWAY}


@pytest.mark.parametrize(("made", "reported"), [(3000.0, 3010.0), (2000.0, 3010.0), (4400.0, 2000.0), (-5.0, 20.0)])
def test_what_agrees_does_not(bucket: AlarmBucket, made: float, reported: float) -> None:
    write_hours(bucket, made, reported)
    assert find_alarms(bucket, RULE, NOON, NOON + 20 * MINUTE) == set()

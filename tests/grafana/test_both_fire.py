"""The receiver's own alarms and Grafana's rules fire for the same data: the story of a simulated house on InfluxDB."""

import pytest

from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.watcher import Habits
from receiver.stores.influxdb import InfluxStore
from tests.grafana.alarm_evaluation import AlarmBucket, evaluate, parse_duration_s
from tests.grafana.test_alerts import RULES
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd
from tests.receiver.alarms import simulated_house as house
from tests.receiver.alarms.alarm_bench import AlarmBench
from tests.receiver.alarms.story import (
    SILENCES,
    TROUBLES,
    assert_everything_was_told_once,
    check_the_disk,
    check_what_takes_days,
    play,
)
from tests.receiver.stores.store_factories import make_buckets

_WITHOUT_RULE = {"panel-weak", "disk-nearly-full", "output-behind"}
_SUBJECTS = {"panel-dead": "inverter", "phase-voltage": "phase", "battery-not-reporting": "battery"}


class GrafanaWatch:
    """Grafana, which looks at each moment at which the receiver looks.

    Attributes:
        sent: What it told of: alarm and subject.
    """

    def __init__(self, bucket: AlarmBucket) -> None:
        self._bucket = bucket
        self._since: dict[str, dict[frozenset[tuple[str, str]], int]] = {uid: {} for uid in RULES}
        self.sent: set[tuple[str, str]] = set()

    def look(self, at_s: int) -> None:
        for uid, rule in RULES.items():
            met, since = evaluate(self._bucket, rule, at_s).met, self._since[uid]
            self._since[uid] = {labels: since.get(labels, at_s) for labels in met}
            alarm = uid.removeprefix("envoy-")
            for labels, first in self._since[uid].items():
                if at_s - first >= parse_duration_s(rule["for"]):
                    assert dict(labels)["gateway"] == house.GATEWAY
                    self.sent.add((alarm, dict(labels)[_SUBJECTS[alarm]] if alarm in _SUBJECTS else ""))


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_both_fire_for_the_same_data(shared_influxd: Influxd, tmp_path, monkeypatch):
    with make_buckets(shared_influxd) as (bucket, live_bucket):
        grafana = GrafanaWatch(AlarmBucket(shared_influxd, bucket))

        def make_store() -> InfluxStore:
            return InfluxStore(shared_influxd.url, ORG, ADMIN_TOKEN, bucket, live_bucket)

        async with AlarmBench(make_store, tmp_path / "state", habits=Habits(disks={"readings": tmp_path})) as bench:
            assert_everything_was_told_once(await play(bench, grafana.look))
            assert grafana.sent == TROUBLES | SILENCES
            await check_what_takes_days(bench)
            await check_the_disk(bench, monkeypatch)


def test_every_rule_is_an_alarm_of_the_receiver_with_the_same_name_and_time():
    assert {uid.removeprefix("envoy-") for uid in RULES} == DEFINITIONS.keys() - _WITHOUT_RULE
    for uid, rule in RULES.items():
        alarm = DEFINITIONS[uid.removeprefix("envoy-")]
        assert (rule["title"], rule["labels"]["severity"]) == (alarm.title, alarm.severity)
        assert parse_duration_s(rule["for"]) == alarm.pending_s

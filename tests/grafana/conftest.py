"""A real InfluxDB for the alert rules, and in it a bucket for each test."""

import itertools
from collections.abc import Iterator

import pytest

from tests.grafana.alarm_evaluation import AlarmBucket
from tests.influxd.server import Influxd, run_influxd

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    with run_influxd(tmp_path_factory.mktemp("influxd")) as started:
        yield started


@pytest.fixture
def bucket(server: Influxd) -> AlarmBucket:
    """An empty bucket of this test alone."""
    bucket = f"house-{next(_NUMBERS)}"
    server.make_bucket(bucket)
    return AlarmBucket(server, bucket)

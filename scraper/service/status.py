"""The scraper's metrics and readiness, read from its health when somebody asks."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from scraper.collect.health import Health
from scraper.collect.recorder import Recorder
from scraper.outbox import OutboxStats
from scraper.uplink.uplink import UplinkState
from shared.clock import Clock
from shared.cloud_identity import is_cloud_system


class ScraperCollector(Collector):
    """Shows the current state; nothing is counted twice because nothing is kept here.

    Args:
        health: Shown.
        recorder: Counts the readings that it committed.
        clock: Time, for ages.
        uplink: Gives the state of the uplink, or None until the gateway's serial is known.
        look: Renews the size of the outbox in `health`; called on the thread that asks for metrics.
    """

    def __init__(
        self,
        health: Health,
        recorder: Recorder,
        clock: Clock,
        *,
        uplink: Callable[[], UplinkState | None],
        look: Callable[[], None],
    ) -> None:
        self._health = health
        self._recorder = recorder
        self._clock = clock
        self._uplink_state = uplink
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        self._look()
        yield from self._collect_gateway()
        yield from self._collect_endpoints()
        if self._health.outbox is not None:
            yield from self._collect_outbox(self._health.outbox)
        if (disk := self._health.disk) is not None:
            yield _make_gauge("envoy_disk_free_bytes", "Free on the disk of the outbox.", disk.free)
            yield _make_gauge("envoy_disk_size_bytes", "Size of the disk of the outbox.", disk.size)
        if (state := self._uplink_state()) is not None:
            yield from self._collect_uplink(state)

    def _collect_gateway(self) -> Iterator[Metric]:
        health = self._health
        info = GaugeMetricFamily("envoy_gateway_info", "The gateway.", labels=["gateway", "firmware", "role"])
        info.add_metric([health.serial, health.firmware, health.role], 1)
        yield info
        yield _make_gauge("envoy_stream_connected", "1 while the meter stream delivers.", health.stream_connected)
        yield _make_counter("envoy_stream_events", "Meter events read.", health.stream_events)
        yield _make_gauge("envoy_login_blocked", "1 while a person is needed.", health.person_needed is not None)
        yield _make_gauge(
            "envoy_certificate_changed", "1 while the certificate is not the pinned one.", health.certificate_changed
        )
        yield _make_gauge("envoy_inverters_known", "Inverters the gateway lists.", health.inverters_known)
        yield _make_counter("envoy_rows_committed", "Readings committed to the outbox.", self._recorder.rows_committed)
        yield _make_counter("envoy_refused_fields", "Fields of replies that were no numbers.", health.refused_fields)
        if health.token_expires_s is not None:
            left = health.token_expires_s - self._clock.now_ms() / 1000
            yield _make_gauge("envoy_token_expires_in_seconds", "Time until the gateway token expires.", left)

    def _collect_endpoints(self) -> Iterator[Metric]:
        success = GaugeMetricFamily("envoy_poll_success", "Whether the last attempt worked.", labels=["job"])
        seconds = GaugeMetricFamily("envoy_poll_seconds", "Duration of the last attempt.", labels=["job"])
        age = GaugeMetricFamily("envoy_poll_age_seconds", "Time since the last success.", labels=["job"])
        failures = CounterMetricFamily("envoy_poll_failures", "Failed attempts.", labels=["job"])
        for name, endpoint in list(self._health.endpoints.items()):
            success.add_metric([name], float(bool(endpoint.success)))
            seconds.add_metric([name], endpoint.seconds)
            failures.add_metric([name], endpoint.failures)
            if endpoint.last_success_ms is not None:
                age.add_metric([name], (self._clock.now_ms() - endpoint.last_success_ms) / 1000)
        yield from (success, seconds, age, failures)

    @staticmethod
    def _collect_outbox(stats: OutboxStats) -> Iterator[Metric]:
        yield _make_gauge("envoy_outbox_rows", "Readings waiting.", stats.rows)
        yield _make_gauge("envoy_outbox_bytes", "Size of the outbox.", stats.bytes)
        yield _make_gauge("envoy_dead_letters", "Readings the receiver refused, kept here.", stats.dead_letters)
        yield _make_counter("envoy_lost_rows", "Readings lost for good.", stats.lost_rows)

    def _collect_uplink(self, state: UplinkState) -> Iterator[Metric]:
        yield _make_counter("envoy_posts", "Posts to the receiver.", state.posts)
        yield _make_counter("envoy_rows_delivered", "Readings the receiver stored.", state.delivered)
        yield _make_counter("envoy_rows_refused", "Readings the receiver refused.", state.refused)
        yield _make_gauge("envoy_uplink_failing", "1 while posts fail.", state.problem is not None)
        yield _make_gauge("envoy_uplink_person_needed", "1 while delivery needs a person.", state.person_needed)
        yield _make_gauge("envoy_watched", "1 while somebody looks at live values.", state.watched)
        if state.last_success_ms is not None:
            age = (self._clock.now_ms() - state.last_success_ms) / 1000
            yield _make_gauge("envoy_delivery_age_seconds", "Time since the last verdict.", age)


def make_registry(collector: ScraperCollector) -> CollectorRegistry:
    """A registry with only our metrics."""
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    own.register(collector)
    return own


def explain_not_ready(health: Health, uplink: UplinkState | None) -> str | None:
    """None while everything flows, else a sentence."""
    if health.person_needed is not None:
        return health.person_needed
    identify = health.endpoints.get("identify")
    if identify is None or not identify.success:
        what = "the cloud was not read yet" if is_cloud_system(health.serial) else "the gateway is not connected"
        return what + (f": {identify.problem}" if identify and identify.problem else "")
    if uplink is not None and uplink.problem is not None:
        return uplink.problem
    return None


def _make_gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _make_counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=float(value))

"""What the receiver counts, shown on the status port only. Labels are our codes and authorised serials."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector


class Metrics:
    """One registry and everything in it."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.registry = registry
        self.batches = Counter(
            "receiver_batches",
            "Batches by outcome: stored, or the problem code of the refusal.",
            ["outcome"],
            registry=registry,
        )
        self.stored = Counter("receiver_readings_stored", "Readings durably stored.", registry=registry)
        self.rejected = Counter(
            "receiver_readings_rejected", "Readings refused for good, by code.", ["code"], registry=registry
        )
        self.ignored = Counter(
            "receiver_fields_ignored",
            "Batches with unknown numeric fields that were left out; upgrade the receiver.",
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "receiver_commit_seconds",
            "Time from a validated batch to its durable storage.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=registry,
        )
        self.waiting = Gauge("receiver_waiting_readings", "Readings that wait for the store now.", registry=registry)
        self.refusals = Counter(
            "receiver_auth_refusals", "Requests without the right, by reason.", ["reason"], registry=registry
        )
        self.problems = Counter(
            "receiver_problems", "Requests answered by a problem, by code.", ["code"], registry=registry
        )
        self.interleaving = Counter(
            "receiver_outbox_interleaving",
            "Batches that show two scrapers sending for one gateway: stop one of them.",
            ["gateway"],
            registry=registry,
        )
        self.last_batch = Gauge(
            "receiver_last_batch_timestamp_seconds",
            "When the gateway's last batch was stored, seconds since 1970.",
            ["gateway"],
            registry=registry,
        )
        self.rollup_dirty = Gauge(
            "receiver_rollup_dirty_quarters",
            "Quarter hours that wait to be rolled up, those of histories included.",
            registry=registry,
        )
        self.rollup_seconds = Gauge(
            "receiver_rollup_seconds", "How long the last pass of the roll-ups took.", registry=registry
        )
        self.rollup_failures = Counter(
            "receiver_rollup_failures",
            "Pieces of history that could not be rolled up, by gateway; the log says why. They are tried again hourly.",
            ["gateway"],
            registry=registry,
        )
        self.alarms_firing = Gauge(
            "receiver_alarms_firing",
            "Alarms that fire now, by alarm and gateway (empty: the receiver itself).",
            ["alarm", "gateway"],
            registry=registry,
        )
        self.alarms_judged = Gauge(
            "receiver_alarms_judged_timestamp_seconds",
            "When everything was last judged, seconds since 1970.",
            registry=registry,
        )
        self.alarm_messages = Counter(
            "receiver_alarm_messages",
            "Messages of alarms by channel and outcome: sent, failed (and repeated), unsure (cut, and not repeated) or "
            "late (given up after a week).",
            ["channel", "outcome"],
            registry=registry,
        )
        self.output_sent = Counter(
            "receiver_output_sent",
            "Rows that an output's target has taken, repeated ones too: lines of a mirror (one for each time of a "
            "series), slots and reports at EmonCMS, statuses and days at PVOutput, messages of MQTT.",
            ["output"],
            registry=registry,
        )
        self.output_failed = Counter(
            "receiver_output_failed",
            "Attempts of an output that failed and are repeated, by reason: unreachable, refused, busy, login, or here "
            "(the receiver's own store or disk).",
            ["output", "reason"],
            registry=registry,
        )
        self.output_behind = Gauge(
            "receiver_output_behind_seconds",
            "Age of the oldest instant that an output's target does not have yet.",
            ["output", "gateway"],
            registry=registry,
        )
        self.output_put_aside = Counter(
            "receiver_output_put_aside",
            "Rows that a target refuses for good, each time that it does; the log names the first.",
            ["output"],
            registry=registry,
        )

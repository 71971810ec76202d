"""A batch in, a verdict out."""

import gzip
from pathlib import Path

from receiver.ingest.limits import Limits
from shared import wire
from shared.problems import Rejection
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, OTHER, Service, make_batch, make_inverter, make_meter, start


async def test_a_batch_is_stored_and_the_verdict_names_it(service: Service):
    verdict = await service.send(make_meter(power=123.0), make_inverter("1"), batch="abc123")
    assert verdict == wire.Verdict(batch="abc123", accepted=2)
    stored = await service.receiver.store.read_latest(GATEWAY, "meter")
    assert [entry.fields for entry in stored] == [{"power": 123.0}]


async def test_the_same_batch_again_changes_nothing(service: Service):
    """Replay of a captured request has no effect: identity decides."""
    for _ in range(3):
        assert (await service.send(make_meter(), make_inverter("1"))).accepted == 2
    assert await service.receiver.store.count() == 2


async def test_a_plain_body_is_as_good_as_a_packed_one(service: Service):
    answer = await service.post(make_batch(make_meter()))
    assert wire.decode_verdict(answer.content).accepted == 1


async def test_rows_of_an_unknown_kind_are_rejected_and_the_rest_is_stored(service: Service):
    verdict = await service.send(Reading("heat_pump", {"pump": "a:b"}, NOW_MS, {"power": 1.0}), make_meter())
    assert verdict.accepted == 1
    assert verdict.rejected == [wire.RejectedRow(1, Rejection.UNKNOWN_KIND)]


async def test_an_unknown_numeric_field_is_left_out_and_named(service: Service):
    verdict = await service.send(make_meter(power=1.0, thd=0.5))
    assert verdict.ignored == ["meter.thd"]
    assert (await service.receiver.store.read_latest(GATEWAY, "meter"))[0].fields == {"power": 1.0}


async def test_a_row_without_a_known_field_is_rejected(service: Service):
    verdict = await service.send(
        make_meter(thd=0.5), Reading("meter", {"meter": "production", "phase": "b"}, NOW_MS, {})
    )
    assert [row.code for row in verdict.rejected] == [Rejection.NO_KNOWN_FIELD] * 2


async def test_stamps_outside_the_window_are_rejected_row_by_row(service: Service):
    """1677, 2262, an hour ahead: each row has its own fate; ten minutes ahead is still taken."""
    stamps = [-9_223_372_036_854, 9_223_372_036_854, NOW_MS + 3_600_000, NOW_MS + 600_000, NOW_MS, 10**30]
    verdict = await service.send(*(make_meter(stamp) for stamp in stamps))
    assert [(row.seq, row.code) for row in verdict.rejected] == [
        (1, Rejection.TOO_OLD),
        (2, Rejection.IN_THE_FUTURE),
        (3, Rejection.IN_THE_FUTURE),
        (6, Rejection.IN_THE_FUTURE),
    ]
    assert verdict.accepted == 2


async def test_series_beyond_the_cap_are_rejected_also_after_a_restart(tmp_path: Path):
    """A cardinality bomb by a valid scraper: what the gateway has goes on, new names do not, others are untouched."""
    limits = Limits(series=3)
    async with start(tmp_path, limits=limits) as service:
        verdict = await service.send(*(make_inverter(str(serial)) for serial in range(5)))
        assert [(row.seq, row.code) for row in verdict.rejected] == [(4, Rejection.QUOTA), (5, Rejection.QUOTA)]
    async with start(tmp_path, limits=limits) as service:
        verdict = await service.send(make_inverter("0", NOW_MS + 1), make_inverter("9"))
        assert verdict.accepted == 1
        assert [row.code for row in verdict.rejected] == [Rejection.QUOTA]
        assert (await service.send(make_inverter("9"), serial=OTHER)).accepted == 1


async def test_an_empty_batch_gets_its_verdict(service: Service):
    assert await service.send(batch="00") == wire.Verdict(batch="00", accepted=0)


async def test_watched_is_said_while_somebody_looks(service: Service):
    assert not (await service.send(make_meter())).watched
    await service.get(f"/api/v1/gateways/{GATEWAY}/meters")
    assert (await service.send(make_meter(NOW_MS + 1))).watched
    assert not (await service.send(make_meter(), serial=OTHER)).watched
    service.clock.advance(31)
    assert not (await service.send(make_meter(NOW_MS + 2))).watched


async def test_two_outboxes_that_take_turns_raise_an_alert_and_neither_is_refused(service: Service):
    """A new outbox alone is a scraper with a new state, and no alarm."""
    for outbox in ("a1", "a1", "b2", "b2"):
        await service.send(make_meter(), outbox=outbox)
    assert service.read_metric("receiver_outbox_interleaving_total", gateway=GATEWAY) == 0
    assert (await service.send(make_meter(), outbox="a1")).accepted == 1
    assert (await service.send(make_meter(), outbox="b2")).accepted == 1
    assert service.read_metric("receiver_outbox_interleaving_total", gateway=GATEWAY) == 2


async def test_what_came_in_is_counted(service: Service):
    await service.send(make_meter(), make_meter(0), make_meter(NOW_MS + 1, power=1.0, novelty=2.0))
    await service.post(b"{", headers={})
    assert service.read_metric("receiver_batches_total", outcome="stored") == 1
    assert service.read_metric("receiver_batches_total", outcome="malformed") == 1
    assert service.read_metric("receiver_readings_stored_total") == 2
    assert service.read_metric("receiver_readings_rejected_total", code="too-old") == 1
    assert service.read_metric("receiver_fields_ignored_total") == 1
    assert service.read_metric("receiver_commit_seconds_count") == 1
    assert service.read_metric("receiver_waiting_readings") == 0
    assert service.read_metric("receiver_last_batch_timestamp_seconds", gateway=GATEWAY) == NOW_MS / 1000


async def test_a_full_batch_of_the_largest_size_is_taken(service: Service):
    readings = [make_meter(NOW_MS - 1000 * index) for index in range(wire.MAX_ROWS)]
    assert (await service.send(*readings)).accepted == wire.MAX_ROWS
    packed = gzip.compress(make_batch(*readings))
    assert len(packed) < wire.MAX_BYTES

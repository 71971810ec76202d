"""What a flood leaves in the log."""

import asyncio

from structlog.testing import capture_logs

from receiver.http.line_limit import BURST, SECONDS_A_LINE, LineLimit
from shared.problems import Problem
from tests.clocks import StoppedClock
from tests.receiver.service import Service, make_meter


def test_lines_come_back_with_time_and_say_what_was_left_out():
    clock = StoppedClock()
    lines = LineLimit(clock)
    assert [lines.take("a") for _ in range(BURST + 3)] == [0] * BURST + [None] * 3
    assert lines.take("b") == 0
    clock.advance(SECONDS_A_LINE + 0.1)
    assert [lines.take("a"), lines.take("a")] == [3, None]


async def test_a_flood_of_refusals_is_counted_and_hides_no_other_refusal(service: Service):
    with capture_logs() as written:
        for _ in range(200):
            assert (await service.post(b"{}", token="")).status_code == 401
        assert (await service.post(b"{", headers={})).status_code == 400
        service.clock.advance(SECONDS_A_LINE + 0.1)
        assert (await service.post(b"{}", token="")).status_code == 401
    refusals = [(line["problem"], line["left_out"]) for line in written if line["event"] == "request refused"]
    assert refusals == [
        *[(Problem.UNAUTHORISED, 0)] * BURST,
        (Problem.MALFORMED, 0),
        (Problem.UNAUTHORISED, 200 - BURST),
    ]
    assert service.read_metric("receiver_problems_total", code="unauthorised") == 201


async def test_a_flood_of_batches_that_are_refused_in_part_is_counted(service: Service):
    with capture_logs() as written:
        for number in range(50):
            await service.send(make_meter(power=1e308), batch=f"{number:x}")
    assert len([line for line in written if line["event"] == "batch stored in part"]) == BURST


async def test_bytes_that_are_no_request_write_no_line(service: Service, caplog):
    """Strangers send as many of them as they like, without a login."""
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GARBAGE\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
    assert [record.message for record in caplog.records if record.name.startswith("uvicorn")] == []

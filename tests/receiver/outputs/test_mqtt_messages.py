"""Which messages go to a real broker: none of a gateway that is kept out, and power before it expires."""

import time

from receiver.outputs.mqtt import output
from shared.readings import Reading
from tests.end_to_end.processes import wait_until
from tests.receiver.outputs.mosquitto import subscribe
from tests.receiver.outputs.test_mqtt import MINE, broker, make_readings, name_url, run, store
from tests.receiver.service import OTHER

__all__ = ["broker"]


def make_event() -> Reading:
    return Reading("event", {"type": "gap"}, time.time_ns() // 10**6, {"reason": "unreachable"})


async def test_events_of_a_gateway_that_is_kept_out_stay_out(tmp_path, broker):
    async with subscribe(broker.port) as seen, run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, [*make_readings(), make_event()], OTHER)
        await store(receiver, [*make_readings(), make_event()])
        await seen.wait_for(f"{MINE}/event")
        assert not [topic for topic, _ in seen.messages if OTHER in topic]


async def test_power_that_stays_is_said_again_before_it_expires(tmp_path, broker, monkeypatch):
    """A roof of a few panels reports each quarter hour, and Home Assistant forgets power after three minutes."""
    monkeypatch.setattr(output, "MINUTE_S", 1)
    report = next(one for one in make_readings() if one.kind == "inverter")
    async with subscribe(broker.port) as seen, run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, [report])
        powers = lambda: [payload for topic, payload in seen.messages if topic == f"{MINE}/power"]  # noqa: E731
        await wait_until(lambda: len(powers()) >= 3, "power three times")
        assert len(set(powers())) == 1

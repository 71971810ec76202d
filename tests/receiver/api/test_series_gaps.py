"""Fields that only some points of a series have: an answer holds the points that have the field."""

from shared.readings import Reading
from tests.receiver.api.series_requests import MINUTE, START, ask
from tests.receiver.service import Service


async def test_a_point_without_the_field_is_no_point_of_the_answer(service_on_each_store: Service):
    """Corrections of meters need a second field, whose points came along and ended the question with an error."""
    tags = {"meter": "production", "phase": "a"}
    await service_on_each_store.send(
        Reading("meter_energy", tags, START, {"delivered": 1.0}),
        Reading("meter_energy", tags, START + 15 * MINUTE, {"delivered": 2.0, "received": 3.0}),
        Reading("meter_energy", tags, START + 30 * MINUTE, {"delivered": 4.0}),
    )
    answer = await ask(service_on_each_store, f"kind=meter_energy&field=received&start={START}")
    (series,) = answer.json()["series"]
    assert series["points"] == [{"timestamp": START + 15 * MINUTE, "value": 3.0}]

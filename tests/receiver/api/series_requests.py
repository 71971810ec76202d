"""Asking a receiver about series, and what comes back in a form that is short to compare."""

import csv
import io
from typing import Any

import httpx
import msgspec

from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, Service

PATH = f"/api/v1/gateways/{GATEWAY}/series"
MINUTE, HOUR = 60_000, 3_600_000
START = NOW_MS // HOUR * HOUR - 2 * HOUR
"""A full hour of UTC, two full hours before that of now."""


def make_power(time: int, value: float, *, meter: str = "production", phase: str = "a", **fields: float) -> Reading:
    return Reading("meter", {"meter": meter, "phase": phase}, time, {"power": value, **fields})


def make_counter(time: int, delivered: float, received: float = 0.0, *, phase: str = "a") -> Reading:
    tags = {"meter": "net-consumption", "phase": phase}
    return Reading("meter_energy", tags, time, {"delivered": delivered, "received": received})


async def ask(service: Service, query: str, *, status: int = 200) -> httpx.Response:
    """The answer to a question about series."""
    answer = await service.get(f"{PATH}?{query}")
    assert answer.status_code == status, answer.text
    return answer


async def ask_refused(service: Service, query: str, *, path: str = PATH) -> str:
    """What a question that is refused hears."""
    answer = await service.get(f"{path}?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = msgspec.json.decode(answer.content)
    assert document["code"] == "unprocessable"
    return str(document["detail"])


def group_by_tags(answer: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Start (minutes after `START`), value and coverage of each window, by the values of the tags."""
    return {
        " ".join(entry["tags"].values()): [
            ((window["start"] - START) // MINUTE, window["value"], window["coverage"]) for window in entry["windows"]
        ]
        for entry in answer["series"]
    }


async def ask_windows(service: Service, query: str) -> dict[str, list[tuple[Any, ...]]]:
    """As `group_by_tags`, of the power of meters in the two hours from `START`."""
    return group_by_tags(
        (await ask(service, f"kind=meter&field=power&start={START}&stop={START + 2 * HOUR}&{query}")).json()
    )


def list_points(answer: Any) -> list[tuple[int, str, Any]]:
    """Timestamp, values of the tags and value of each point."""
    return [
        (point["timestamp"], " ".join(entry["tags"].values()), point["value"])
        for entry in answer["series"]
        for point in entry["points"]
    ]


def read_rows(answer: httpx.Response) -> list[dict[str, str]]:
    """The lines of a CSV answer."""
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))

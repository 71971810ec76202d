"""The time until the page has what it asks for when it opens, over a year of one house, in both stores.

    python -m benchmarks.page

The house is that of `benchmarks.year`. One reader asks as the page does (receiver/web/src/main.ts, system.ts and
queries.ts): first for the gateways, then for all that makes the first picture at once, over the five connections that a
browser has left beside the live events; then for what the page reads beside it: since when there are readings, and how
the panels did on the last thirty days. Each turn comes TURN_S after the one before, when nothing is under way any more.
Printed are the median and the slowest turn of both; it exits with 1 if a first picture breaks its promise.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import httpx

from benchmarks.year import DAYS, DENSE_DAYS, make_token, run_receivers
from benchmarks.year_history import Year

TURNS = 21
TURN_S = float(os.environ.get("TURN_S", "1.5"))
PROMISE_MS = 100
_CONNECTIONS = 5

Request: TypeAlias = tuple[str, dict[str, str]]


class Opening(NamedTuple):
    """What one turn took (milliseconds), and how much came."""

    picture_ms: float
    all_ms: float
    answered: int


def list_picture(year: Year) -> list[Request]:
    """All that the first picture of today is made of."""
    of = f"/api/v1/gateways/{year.gateway}"
    today = {"start": "today", "time_zone": year.site.time_zone or "UTC"}
    site = [{"kind": "site_1m", "field": field, "limit": "2000"} for field in ("production", "load", "net")]
    battery = {"kind": "storage", "field": "state_of_charge", "every": "5m"}
    return [
        (of, {}),
        (f"{of}/alarms", {}),
        (f"{of}/power", {}),
        (f"{of}/meters", {}),
        *((f"{of}/series", series | today) for series in (*site, battery)),
        (f"{of}/energy", {"every": "1d", **today}),
        (f"{of}/inverters", {}),
    ]


def list_rest(year: Year) -> list[Request]:
    """What the page reads beside it."""
    of, zone = f"/api/v1/gateways/{year.gateway}", year.site.time_zone or "UTC"
    days = {"kind": "panel_1d", "start": "-30d", "time_zone": zone, "limit": "20000"}
    known = [("1y", "2006-01-01"), ("1mo", "-1y"), ("1d", "-1mo")]
    return [
        *((f"{of}/energy", {"every": every, "start": start, "time_zone": zone}) for every, start in known),
        *((f"{of}/series", days | {"field": field}) for field in ("ratio", "peers")),
    ]


async def ask_all(client: httpx.AsyncClient, requests: Sequence[Request]) -> int:
    """Ask at once; the bytes of the answers."""
    answers = await asyncio.gather(*(client.get(path, params=parameters) for path, parameters in requests))
    return sum(len(answer.raise_for_status().content) for answer in answers)


async def open_page(client: httpx.AsyncClient, year: Year) -> Opening:
    """Ask as the page does."""
    began = time.perf_counter()
    answered = await ask_all(client, [("/api/v1/gateways", {})])
    answered += await ask_all(client, list_picture(year))
    picture_ms = (time.perf_counter() - began) * 1000
    answered += await ask_all(client, list_rest(year))
    return Opening(picture_ms, (time.perf_counter() - began) * 1000, answered)


async def measure(store: str, port: int, year: Year) -> float:
    """Open the page again and again, and print; the median of the first picture."""
    turns: list[Opening] = []
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"authorization": f"Bearer {make_token()}"},
        timeout=30,
        limits=httpx.Limits(max_connections=_CONNECTIONS),
    ) as client:
        for _ in range(TURNS):
            turns.append(await open_page(client, year))
            await asyncio.sleep(TURN_S)
    middle = statistics.median(turn.picture_ms for turn in turns)
    print(
        f"{store:10}first picture {middle:6.1f} ms, slowest {max(turn.picture_ms for turn in turns):6.1f}, the very "
        f"first {turns[0].picture_ms:6.1f} (promise: {PROMISE_MS}); with all beside it "
        f"{statistics.median(turn.all_ms for turn in turns):6.1f} ms, {turns[0].answered:,} bytes",
        flush=True,
    )
    return middle


def main() -> int:
    """Fill, measure; 1 if the promise is broken."""
    year, kept = Year(days=DAYS, dense_days=DENSE_DAYS), True
    with run_receivers(year) as receivers:
        for store, port in receivers:
            kept &= asyncio.run(measure(store, port, year)) <= PROMISE_MS
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

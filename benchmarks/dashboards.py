"""The time each Grafana dashboard takes on a simulated week, from the first question to the last answer.

    python -m benchmarks.dashboards

A real InfluxDB holds seven days of a house with 20 panels, three phases and a battery. Each dashboard asks as a browser
does: its variables one after the other (some depend on others), then all panels over six connections. Grafana's own
work and drawing are not in it. What is printed is the median of the turns, and the slowest query of each dashboard.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.grafana.answers import DashboardClient
from tests.grafana.extraction import ExtractedQuery, list_panel_queries, list_panels, read_dashboards
from tests.grafana.simulated_days import LoadedDays, load_days
from tests.grafana.substitution import Value
from tests.influxd.server import run_influxd

DAYS = 7.0
TURNS = 7
CONNECTIONS = 6
"""Of a browser to one host."""
PROMISE_S = 0.5


class Turn(NamedTuple):
    """One opening of a dashboard: seconds in all, and of its slowest query with its place."""

    seconds: float
    slowest: tuple[float, str]


def open_dashboard(client: DashboardClient, name: str, board: dict[str, Any], pool: ThreadPoolExecutor) -> Turn:
    """Ask everything that one dashboard asks when it is opened."""
    started = time.perf_counter()
    values = client.find_values(name, board)

    def ask_query(query: ExtractedQuery, values: dict[str, Value] = values) -> tuple[float, str]:
        begun = time.perf_counter()
        client.run(query, values)
        return time.perf_counter() - begun, query.location

    queries = [query for panel in list_panels(board) for query in list_panel_queries(name, board, panel)]
    answers = list(pool.map(ask_query, queries))
    return Turn(time.perf_counter() - started, max(answers))


def measure(loaded_days: LoadedDays) -> bool:
    """Print a line per dashboard. Whether all keep the promise."""
    kept = True
    limits = httpx.Limits(max_connections=CONNECTIONS)
    with httpx.Client(timeout=30, limits=limits) as http, ThreadPoolExecutor(CONNECTIONS) as pool:
        for name, board in read_dashboards().items():
            client = DashboardClient(loaded_days, http)
            turns = [open_dashboard(client, name, board, pool) for _ in range(TURNS)]
            middle = statistics.median(turn.seconds for turn in turns)
            seconds, place = max(turn.slowest for turn in turns)
            kept = kept and middle <= PROMISE_S
            print(f"{name:16} {middle * 1000:6.0f} ms   slowest query {seconds * 1000:6.0f} ms: {place}")
    return kept


def main() -> int:
    """Load, measure; 1 if a dashboard takes longer than promised."""
    with tempfile.TemporaryDirectory() as folder, run_influxd(Path(folder) / "influxd") as server:
        journal = Path(folder) / "journal"
        journal.mkdir(mode=0o700)
        loaded_days = asyncio.run(load_days(server, journal, days=DAYS))
        print(f"{loaded_days.written:,} readings in {DAYS:.0f} days")
        return 0 if measure(loaded_days) else 1


if __name__ == "__main__":
    sys.exit(main())

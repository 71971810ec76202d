"""What one would write in an afternoon: FastAPI, pydantic objects, one influxdb-client Point a reading.

    python -m benchmarks.plain_endpoint PORT [FILE]

Given a file it keeps the promise that the receiver keeps: it answers when the points of the request are durably
stored. Usually that is `write_api.write(points)`: an HTTP request to an InfluxDB, which parses the lines, appends them
to its journal and syncs it. The benchmarks run without an InfluxDB, so a SQLite file stands in for it: one transaction
with synchronous=FULL a request, one INSERT a point, of its line as it is. That is kind to this endpoint, for a
database does more with a line than keep it, and there is no second HTTP request. Without a file the lines are thrown
away, which shows what the objects alone cost.
"""

import sqlite3
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision
from pydantic import BaseModel


class PlainReading(BaseModel):
    """One reading."""

    kind: str
    tags: dict[str, str]
    timestamp: int
    fields: dict[str, float]


class PlainBatch(BaseModel):
    """Readings of one gateway."""

    gateway: str
    readings: list[PlainReading]


def create_app(write: Callable[[list[str]], None]) -> FastAPI:
    """The application; `write` takes the lines of one request."""
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    # `async def` although it blocks: with one writer, threads would only get into each other's way (measured: slower).
    @app.post("/readings")
    async def take(batch: PlainBatch) -> dict[str, int]:
        lines = [_write_line(batch.gateway, reading) for reading in batch.readings]
        write(lines)
        return {"accepted": len(lines)}

    return app


def _write_line(gateway: str, reading: PlainReading) -> str:
    point: Any = Point(reading.kind)  # type: ignore[no-untyped-call]  # Any: hardly a method of it is annotated
    point.tag("gateway", gateway).time(reading.timestamp, WritePrecision.MS)
    for name, value in reading.tags.items():
        point.tag(name, value)
    for name, number in reading.fields.items():
        point.field(name, number)
    return str(point.to_line_protocol())


def make_durable_write(path: str) -> Callable[[list[str]], None]:
    """A write that returns when the lines are on the disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE points (line TEXT NOT NULL)")

    def write(lines: list[str]) -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO points VALUES (?)", [(line,) for line in lines])
        connection.execute("COMMIT")

    return write


def throw_away(lines: list[str]) -> None:
    """A write that keeps nothing."""


if __name__ == "__main__":
    port, *file = sys.argv[1:]
    uvicorn.run(
        create_app(make_durable_write(file[0]) if file else throw_away),
        host="127.0.0.1",
        port=int(port),
        log_level="error",
    )

"""What one would write in an afternoon: FastAPI, pydantic objects, one influxdb-client Point a reading."""

import sys

import uvicorn
from fastapi import FastAPI
from influxdb_client import Point, WritePrecision
from pydantic import BaseModel

app = FastAPI()


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


@app.get("/healthz")
async def healthz() -> str:
    """Alive."""
    return "ok"


@app.post("/readings")
async def take(batch: PlainBatch) -> dict[str, int]:
    """Build the line protocol; storing it would come on top."""
    lines = []
    for reading in batch.readings:
        point = Point(reading.kind).tag("gateway", batch.gateway).time(reading.timestamp, WritePrecision.MS)
        for name, value in reading.tags.items():
            point = point.tag(name, value)
        for name, number in reading.fields.items():
            point = point.field(name, number)
        lines.append(point.to_line_protocol())
    return {"accepted": len(lines)}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")

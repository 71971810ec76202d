"""What lies in the files, read with plain SQL: the tests' own eyes, not the product's."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from scraper.outbox.frames import unpack

KINDS = ("inverter", "meter", "meter_energy", "production", "gateway", "event")


class ReadingIdentity(NamedTuple):
    """What makes a reading one and the same: the tags are sorted pairs."""

    gateway: str
    kind: str
    tags: tuple[tuple[str, str], ...]
    timestamp: int


Contents = dict[ReadingIdentity, dict[str, Any]]
"""Identity to fields."""


def read_store(path: Path) -> Contents:
    """Everything in a receiver's SQLite file. Fails if an identity stands there twice."""
    contents: Contents = {}
    with closing(_open(path)) as connection:
        connection.row_factory = sqlite3.Row
        for kind in KINDS:
            rows = connection.execute(
                f'SELECT gateway, tags, k.* FROM "{kind}" k JOIN series s ON s.id = k.series'  # noqa: S608 (constants)
            )
            for row in rows:
                fields = dict(row)
                gateway, tags = fields.pop("gateway"), tuple(sorted(json.loads(fields.pop("tags")).items()))
                fields.pop("series")
                identity = ReadingIdentity(gateway, kind, tags, fields.pop("timestamp"))
                assert identity not in contents, f"stored twice: {identity}"
                contents[identity] = {name: value for name, value in fields.items() if value is not None}
    return contents


class Queue(NamedTuple):
    """How an outbox file stands.

    Attributes:
        id: Of the file.
        committed: How many rows were ever committed to it: their numbers are 1 to this.
        waiting: Rows that wait.
        dead_letters: Rows that the receiver refused.
        lost: Rows that were given up.
    """

    id: str
    committed: int
    waiting: int
    dead_letters: int
    lost: int


def read_outbox(path: Path) -> Queue:
    """The counts of a scraper's outbox file; `waiting` is counted, not believed."""
    with closing(_open(path)) as connection:
        ((id_, next_seq, dead, lost),) = connection.execute("SELECT id, next_seq, dead_letters, lost_rows FROM state")
        ((waiting,),) = connection.execute("SELECT count(*) FROM rows")
    return Queue(id_, next_seq - 1, waiting, dead, lost)


def read_waiting(path: Path) -> list[dict[str, Any]]:
    """The readings that wait in an outbox file, as on the wire, oldest first."""
    with closing(_open(path)) as connection:
        found = [unpack(data) for (data,) in connection.execute("SELECT frame FROM rows ORDER BY seq")]
    assert None not in found, "a row of the outbox is damaged"
    return [json.loads(frame.payload) for frame in found if frame is not None]


def merge(gateway: str, readings: Iterable[Mapping[str, Any]]) -> tuple[Contents, list[str]]:
    """What a store must hold after these readings (as on the wire), and every field that got two values."""
    contents: Contents = {}
    conflicts: list[str] = []
    for reading in readings:
        tags = tuple(sorted(reading["tags"].items()))
        identity = ReadingIdentity(gateway, reading["kind"], tags, reading["timestamp"])
        fields = contents.setdefault(identity, {})
        for name, value in reading["fields"].items():
            if fields.setdefault(name, value) != value:
                conflicts.append(f"{identity} {name}: {fields[name]} and {value}")
    return contents, conflicts


def find_differences(expected: Contents, found: Contents) -> list[str]:
    """What is missing, what is too much and what differs, in words; empty if both are the same."""
    lines = [f"lost: {identity} {expected[identity]}" for identity in sorted(expected.keys() - found.keys())]
    lines += [f"invented: {identity} {found[identity]}" for identity in sorted(found.keys() - expected.keys())]
    for identity in sorted(expected.keys() & found.keys()):
        if expected[identity] != found[identity]:
            lines.append(f"altered: {identity} {expected[identity]} became {found[identity]}")
    return lines


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)

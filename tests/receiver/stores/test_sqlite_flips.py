"""Whichever bit of the store's schema flips: the start or the check says so, or every reading reads back as it was.

STORE_FLIPS=all goes through every bit of these pages, which takes long; without it, all of the head, and one in each 24 bytes.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from receiver.stores.base import GatewayReading
from receiver.stores.kinds import STORED
from receiver.stores.sqlite.examination import find_damage
from receiver.stores.sqlite.files import DamageNote, connect_reader
from receiver.stores.sqlite.writer import SqliteWriter
from shared.readings import Reading
from tests.receiver.stores.schema_pages import PAGE_BYTES, list_schema_pages
from tests.receiver.stores.sqlite_rows import HOME, NOON

BITS = 8 * PAGE_BYTES
HEAD_BITS = 800
SHARES = 4
"""Tests that the bits are shared among, so that a failure names a part of them."""
IS_THOROUGH = os.environ.get("STORE_FLIPS") == "all"
EVERY = 1 if IS_THOROUGH else 24 * 8 + 1
_TELLS_WHAT_TO_DO = re.compile("restore a backup|run that version|check the path in RECEIVER_STORE")


def make_value(number: int, type_: type) -> float | str:
    return float(number) if type_ is float else str(number)


def make_every_kind() -> list[GatewayReading]:
    """Three readings of every kind with every field; whole numbers, and texts that look like numbers."""
    return [
        GatewayReading(
            HOME,
            Reading(
                name,
                dict.fromkeys(kind.tags, "7"),
                NOON + 1000 * number,
                {field: make_value(10 * place + number, what.type) for place, (field, what) in enumerate(kind.fields.items())},
            ),
        )
        for name, kind in STORED.items()
        for number in range(3)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store that was closed in good order."""
    path = tmp_path_factory.mktemp("original") / "readings.sqlite"
    write(path, make_every_kind())
    return path.read_bytes()


@pytest.fixture
def path() -> Iterator[Path]:
    """In memory if there is such a place: each start waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory) / "readings.sqlite"


def write(path: Path, rows: list[GatewayReading]) -> None:
    writer = SqliteWriter(path, DamageNote(path))
    try:
        assert writer.write(rows) == {}
    finally:
        writer.close()


def read_all(path: Path) -> list[object]:
    """Every value as a reader gets it, with its type."""
    with closing(connect_reader(path)) as connection:
        found: list[object] = connection.execute("SELECT * FROM series ORDER BY id").fetchall()
        for name, kind in STORED.items():
            columns = ", ".join(f'"{name}"."{field}"' for field in ("series", "timestamp", *kind.fields))
            found += connection.execute(f'SELECT {columns} FROM "{name}" ORDER BY 1, 2').fetchall()  # noqa: S608
    return [repr(row) for row in found]


def find_sentence(path: Path) -> str | None:
    """What the start says, or else `envoy-receiver check`."""
    writer = SqliteWriter(path, DamageNote(path))
    try:
        sentence = writer.check_ready()
    finally:
        writer.close()
    return sentence or find_damage(path)


def find_broken_promises(path: Path, right: list[object]) -> list[str]:
    """What of the file's promises does not hold."""
    sentence = find_sentence(path)
    if sentence is not None:
        return [] if _TELLS_WHAT_TO_DO.search(sentence) else [f"people hear what to do: {sentence}"]
    if read_all(path) != right:
        return ["it is noticed, or all readings read back unaltered"]
    more = GatewayReading(HOME, Reading("meter", {"meter": "production", "phase": "a"}, NOON, {"power": 7.0}))
    write(path, [more])
    if (sentence := find_sentence(path)) is not None:
        return [f"a write does no harm: {sentence}"]
    return []


@pytest.mark.slow
@pytest.mark.timeout(36_000 if IS_THOROUGH else 600)
@pytest.mark.parametrize("share", range(SHARES))
def test_no_flipped_bit_of_the_schema_hides_or_alters_a_reading(original, path, share):
    path.write_bytes(original)
    right = read_all(path)
    bits = [BITS * (page - 1) + bit for page in list_schema_pages(original) for bit in range(BITS)]
    bits = [*bits[:HEAD_BITS], *bits[HEAD_BITS::EVERY]]
    broken = {}
    for bit in bits[share::SHARES]:
        data = bytearray(original)
        data[bit // 8] ^= 1 << bit % 8
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        path.write_bytes(data)
        try:
            promises = find_broken_promises(path, right)
        except Exception as error:  # noqa: BLE001 (all of them are told, not the first alone)
            promises = [f"it never fails with {type(error).__name__}: {error}"]
        if promises:
            broken[divmod(bit, 8)] = promises
    assert broken == {}

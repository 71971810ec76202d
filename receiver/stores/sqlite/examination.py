"""A look at the whole file, for `envoy-receiver check` and for tests."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from receiver.stores.base import StoreUnavailableError
from receiver.stores.kinds import STORED
from receiver.stores.sqlite.declared import verify_head
from receiver.stores.sqlite.files import connect_reader, explain
from receiver.stores.sqlite.queries import decode_tags
from shared.durable_sqlite import DamagedError, check


def find_damage(path: Path) -> str | None:
    """What is wrong with the file and what to do, or None. Reads all of it, beside a receiver that may be running."""
    try:
        verify_head(path)
        with closing(connect_reader(path)) as connection:
            examine(connection)
    except (sqlite3.Error, OSError) as error:
        return str(explain(path, error))
    except StoreUnavailableError as error:
        return str(error)
    return None


def examine(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.Error for a page, a key, an index or a text that is damaged."""
    check(connection, keys=True)
    for kind, tags in connection.execute("SELECT kind, tags FROM series"):
        if kind in STORED and decode_tags(tags).keys() != set(STORED[kind].tags):
            raise DamagedError("a series has tags that were never written")
    for statement in _list_texts():
        for _ in connection.execute(statement):  # Python decodes what it is given
            pass


def _list_texts() -> Iterator[str]:
    for name, kind in STORED.items():
        texts = [f'"{name}"."{field}"' for field, what in kind.fields.items() if what.type is str]
        if texts:
            yield f'SELECT DISTINCT {", ".join(texts)} FROM "{name}"'  # noqa: S608 (names of the dictionary)

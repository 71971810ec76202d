"""Where the contract suite finds its stores: each place builds any number of stores over the same data."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from receiver.stores.base import Store
from receiver.stores.sqlite import SqliteStore

MakeStore = Callable[[], Store]
"""A new store object, not yet open, over the data that its siblings have written."""


@contextmanager
def sqlite(directory: Path) -> Iterator[MakeStore]:
    """A SQLite file of its own."""
    yield lambda: SqliteStore(directory / "state" / "readings.db")


PLACES: dict[str, Callable[[Path], AbstractContextManager[MakeStore]]] = {"sqlite": sqlite}
"""Every store that must keep the contract. A place begins empty."""

"""A durable SQLite file that stays open between uses, until one of them fails or another file lies in its place."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from shared import durable_sqlite
from shared.durable_sqlite import DamagedError, FileConnection, open_transaction


class KeptFile:
    """One file and its connection, for one thread.

    Args:
        path: The file.
        open_file: Opens it, and makes it when it is missing.
    """

    def __init__(self, path: Path, open_file: Callable[[Path], FileConnection]) -> None:
        self._path = path
        self._open_file = open_file
        self._connection: FileConnection | None = None

    @contextlib.contextmanager
    def use(self) -> Iterator[FileConnection]:
        """The connection; whatever fails with it closes it. Raises sqlite3.Error, and OSError if the file is gone."""
        try:
            if self._connection is None:
                self._connection = self._open_file(self._path)
            elif not self._connection.is_in_place(self._path):  # SQLite would go on writing into the deleted file
                raise FileNotFoundError("it is gone")  # noqa: TRY301 (it ends as every other failure does)
            yield self._connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close_anyhow()
            self._connection = None

    def put_aside(self) -> None:
        """Keep a damaged file as `NAME.damaged`, for people, and make room for another. Raises OSError."""
        self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
        durable_sqlite.remove(self._path)  # its log and the index of that


def make_layout(connection: FileConnection, layout: int, tables: Sequence[str]) -> None:
    """Make the tables of an empty file, whose layout is noted in it; a file that has them stays as it is.

    Raises:
        DamagedError: It is of another layout.
        sqlite3.Error: It cannot be read or written.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (count,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if found == layout:
        return
    if count:
        raise DamagedError("it is of another version or of another program")
    with open_transaction(connection):
        for statement in (*tables, f"PRAGMA user_version = {layout}"):
            connection.execute(statement)

"""One way to open a SQLite file whose commits survive a power cut: the outbox, the store and the journal.

- `connect` opens a file that exists; SQLite would silently make an empty one where somebody's data is missing.
- `make_durable` lets every commit and checkpoint reach the disk before it returns, and reads the settings back.
- `classify_error` says what an error of SQLite means. The owner of the file makes a sentence for people of it.

Damage is recognised here and nowhere else, for outbox, store and journal: who opens a file with `connect` catches
`sqlite3.Error` and asks `classify_error` or `is_damage`. That covers text that is no UTF-8 any more (a flipped bit),
which Python's sqlite3 otherwise raises as a `UnicodeDecodeError` or as an error without a code.
"""

import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from shared.files import PRIVATE_FILE, make_private_directory

BUSY_SECONDS = 5.0
"""How long a connection waits for the transaction of another one."""

_DURABLE = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    # macOS: an fsync that reaches the platter, of the log and of the file; nothing elsewhere
    ("fullfsync", "ON", 1),
    ("checkpoint_fullfsync", "ON", 1),
)
"""Each setting, its value, and how SQLite names that value when it is asked."""


class SqliteProblem(Enum):
    """What an error of SQLite means for the file."""

    DAMAGED = "the file itself is broken"
    FULL = "the disk or the quota is full"
    BUSY = "another connection holds the file"
    READ_ONLY = "the file or its directory may not be written"
    CANNOT_OPEN = "the file or its log cannot be opened"
    DISK = "the disk failed"
    OTHER = "the statement, the schema or the program is wrong"


_PROBLEMS = {
    sqlite3.SQLITE_CORRUPT: SqliteProblem.DAMAGED,
    sqlite3.SQLITE_NOTADB: SqliteProblem.DAMAGED,
    sqlite3.SQLITE_FULL: SqliteProblem.FULL,
    sqlite3.SQLITE_BUSY: SqliteProblem.BUSY,
    sqlite3.SQLITE_LOCKED: SqliteProblem.BUSY,
    sqlite3.SQLITE_READONLY: SqliteProblem.READ_ONLY,
    sqlite3.SQLITE_PERM: SqliteProblem.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: SqliteProblem.CANNOT_OPEN,
    sqlite3.SQLITE_IOERR: SqliteProblem.DISK,
}


Object: TypeAlias = tuple[str, str, str, str | None]
"""A table or index as the schema of a file has it: type, name, its table, and the statement that made it."""

_NO_FORMAT = "unsupported file format"
"""What SQLite says of a schema of a later format; it has no code of its own."""
_NO_TEXT = "it holds text that is no UTF-8"


class DamagedError(sqlite3.DatabaseError):
    """The file is a database, but its content cannot be trusted; the message says why."""


class NotDurableError(sqlite3.OperationalError):
    """The file system cannot keep a commit safe from a power cut; the message says which setting it refuses."""


class FileConnection(sqlite3.Connection):
    """A connection that knows which file it has open, and that tells of damage only by sqlite3.Error.

    Names, and SQLite's own messages with names in them, are decoded while a statement is executed.
    """

    file_id: tuple[int, int] | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As in the base class; DamagedError where a name is no UTF-8."""
        try:
            return super().execute(sql, parameters)
        except UnicodeDecodeError as error:
            raise DamagedError(_NO_TEXT) from error

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As in the base class; DamagedError where a name is no UTF-8."""
        try:
            return super().executemany(sql, parameters)
        except UnicodeDecodeError as error:
            raise DamagedError(_NO_TEXT) from error

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        """As in the base class; DamagedError where a name is no UTF-8."""
        try:
            return super().executescript(script)
        except UnicodeDecodeError as error:
            raise DamagedError(_NO_TEXT) from error

    def is_in_place(self, path: Path) -> bool:
        """Whether `path` still is the file that this connection has open; a deleted file would swallow every write."""
        return self.file_id == _read_file_id(path)

    def close_anyhow(self) -> None:
        """Close it, whatever SQLite says of a file that is damaged or gone."""
        with contextlib.suppress(sqlite3.Error):
            self.close()


def create(path: Path, *settings: str) -> None:
    """Make an empty file that only its owner can read.

    Args:
        path: Where; nothing may be there.
        settings: Pragmas that must stand before the first page is written, e.g. `page_size = 4096`.

    Raises:
        OSError: The file exists (FileExistsError) or cannot be made.
        sqlite3.Error: The first page cannot be written.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    if settings:
        with contextlib.closing(connect(path)) as connection:
            for setting in settings:
                connection.execute(f"PRAGMA {setting}")
            connection.execute("PRAGMA journal_mode = WAL")  # writes the first page


def connect(path: Path, *, read_only: bool = False, immutable: bool = False) -> FileConnection:
    """A connection to a file that exists. It may move between threads, one at a time; transactions begin explicitly.

    Args:
        path: The file.
        read_only: Only look: neither the file nor its log is changed, whatever state they are in.
        immutable: Only look at the file as it was when its log was last carried over, and touch nothing.

    Raises:
        sqlite3.Error: The file is missing or cannot be opened.
    """
    file_id = _read_file_id(path)
    mode = "mode=ro&immutable=1" if immutable else "mode=ro" if read_only else "mode=rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=FileConnection,
    )
    connection.file_id = file_id
    return connection


def make_durable(connection: sqlite3.Connection, *, log_limit_bytes: int) -> None:
    """Make each commit reach the disk before it returns. Verified, because SQLite ignores a pragma that it cannot obey.

    Args:
        connection: Outside a transaction.
        log_limit_bytes: The log is cut to this size when it was carried over into the file.

    Raises:
        NotDurableError: The file system does not allow it.
        sqlite3.Error: The file cannot be read or written.
    """
    for name, value, expected in _DURABLE:
        connection.execute(f"PRAGMA {name} = {value}")
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != expected:
            raise NotDurableError(f"{name} is {found} where {value} is needed")
    connection.execute(f"PRAGMA journal_size_limit = {log_limit_bytes}")


def open_with_tables(
    path: Path, make_tables: Callable[[FileConnection], None], *, log_limit_bytes: int
) -> FileConnection:
    """A durable connection to a file that is made when it is missing, in a private directory.

    Args:
        path: The file.
        make_tables: Makes what the file lacks. What it raises closes the connection.
        log_limit_bytes: As for `make_durable`.

    Raises sqlite3.Error and OSError.
    """
    if not path.exists():
        make_private_directory(path.parent)
        create(path)
    connection = connect(path)
    try:
        make_durable(connection, log_limit_bytes=log_limit_bytes)
        make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def open_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that happens inside is committed, or nothing of it. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some failures have ended it already
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def check(connection: sqlite3.Connection, *, keys: bool = False) -> None:
    """Read the whole file once. Raises DamagedError, or another sqlite3.Error, if its structure is broken.

    Args:
        connection: To the file.
        keys: Look also at the order of the keys and at the indexes: a damaged key ends a query early without an error.
    """
    (answer,) = connection.execute(f"PRAGMA {'integrity' if keys else 'quick'}_check(1)").fetchone()
    if answer != "ok":
        raise DamagedError(f"the check says: {answer}")


def list_objects(connection: sqlite3.Connection) -> list[Object]:
    """What the file's schema says, in the order of the names. Raises sqlite3.Error."""
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()


@functools.cache
def list_made_objects(statements: tuple[str, ...]) -> list[Object]:
    """What `list_objects` says where these statements made everything; in a damaged file a name or type may differ.

    SQLite itself takes whatever a flipped bit has made of a name, as long as it still is SQL.
    """
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements:
            connection.execute(statement)
        return list_objects(connection)


def classify_error(error: sqlite3.Error) -> SqliteProblem:
    """What an error means."""
    if isinstance(error, DamagedError) or _is_undecodable_value(error) or str(error) == _NO_FORMAT:
        return SqliteProblem.DAMAGED
    return _PROBLEMS.get(get_primary_code(error), SqliteProblem.OTHER)


def is_damage(error: BaseException | None) -> bool:
    """Whether an error says that the file itself is broken, which no retry mends."""
    return isinstance(error, sqlite3.Error) and classify_error(error) is SqliteProblem.DAMAGED


def _is_undecodable_value(error: sqlite3.Error) -> bool:
    """Whether a text in the file is no UTF-8: Python's own error, which has no code of SQLite."""
    return not hasattr(error, "sqlite_errorcode") and str(error).startswith("Could not decode to UTF-8")


def get_primary_code(error: sqlite3.Error) -> int:
    """The primary result code, 0 without one; extended codes carry more in their upper bytes."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def name_wal(path: Path) -> Path:
    """The write-ahead log that belongs to a file."""
    return path.with_name(path.name + "-wal")


def name_shm(path: Path) -> Path:
    """The index of that log; SQLite makes it again when it is missing."""
    return path.with_name(path.name + "-shm")


def remove(path: Path) -> None:
    """Delete a file with all that belongs to it, as far as it exists. Raises OSError."""
    for one in (path, name_wal(path), name_shm(path)):
        one.unlink(missing_ok=True)


def _read_file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino

"""The default store: one SQLite file, nothing to install.

- `schema`: the tables, made from the field dictionary, and their migration
- `files`: the file on disk, connections to it, and what its errors mean for people
- `writer`: the one connection that writes
- `queries`: what people ask, as SQL; `readers`: the connections that run it
- `copying`: a copy of the file and the way back; `examination`: a look at all of it
- `store`: `SqliteStore`, all of it behind the Protocol
"""

from receiver.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]

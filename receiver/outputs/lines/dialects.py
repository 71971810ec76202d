"""How the databases that take line protocol differ: path, query, login, and whether they hold text.

Sources: InfluxDB 1.8.3, 2.7 and VictoriaMetrics 1.79 as they were seen to behave; InfluxDB 3 Core, QuestDB and Telegraf
by their documentation.
"""

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from receiver.settings import LinesSettings


class Dialect(NamedTuple):
    """One database.

    Attributes:
        path: Where lines are posted.
        params: Of every post: names of the query, and what of the settings they carry, or a fixed text after `=`.
        scheme: What stands before a token.
        splits_account: Whether an account goes into the token as NAME:PASSWORD, because Basic is refused nowhere else.
        has_text: Whether it holds text; VictoriaMetrics would store 0.
    """

    path: str
    params: Mapping[str, str]
    scheme: str = "Token"
    splits_account: bool = False
    has_text: bool = True


DIALECTS: Mapping[str, Dialect] = MappingProxyType({
    "influxdb1": Dialect("/write", {"db": "database", "precision": "=ms"}, splits_account=True),
    "influxdb2": Dialect("/api/v2/write", {"org": "org", "bucket": "database", "precision": "=ms"}),
    "influxdb3": Dialect("/api/v3/write_lp", {"db": "database", "precision": "=millisecond"}, scheme="Bearer"),
    "victoriametrics": Dialect("/write", {"db": "database", "precision": "=ms"}, scheme="Bearer", has_text=False),
    "questdb": Dialect("/write", {"precision": "=ms"}, scheme="Bearer"),
    "telegraf": Dialect("/write", {"db": "database", "precision": "=ms"}),
})  # fmt: skip
"""By the name in the settings."""


def make_params(dialect: Dialect, settings: LinesSettings) -> dict[str, str]:
    """The query of a post."""
    values = {"database": settings.database, "org": settings.org}
    return {name: what[1:] if what.startswith("=") else values[what] for name, what in dialect.params.items()}


def make_login(dialect: Dialect, settings: LinesSettings) -> dict[str, str]:
    """The header that says who we are; empty where the settings name nobody."""
    if settings.token is not None:
        return {"authorization": f"{dialect.scheme} {settings.token}"}
    if settings.username is None:
        return {}
    account = f"{settings.username}:{settings.password}"
    if dialect.splits_account:
        return {"authorization": f"Token {account}"}
    return {"authorization": "Basic " + base64.b64encode(account.encode()).decode()}

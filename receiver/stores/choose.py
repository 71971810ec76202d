"""The store that the settings name, and what commands need of it. A composition root of the service and the commands.

The choice is matched here, once. A backup matches it once more (`receiver/backup/database.py`): what it saves and
brings back of each store is its own, and lies above the stores.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from receiver.errors import ReceiverSettingError
from receiver.settings import InfluxDB, ReceiverSettings, Sqlite
from receiver.stores.base import Store
from receiver.stores.kinds import HOURS_OF
from receiver.stores.sqlite import SqliteStore
from receiver.stores.sqlite.examination import find_damage
from shared.clock import Clock
from shared.units import DAY_MS


class ChosenStore(Protocol):
    """The store of one receiver, before it is opened."""

    @property
    def is_missing(self) -> bool:
        """Whether there is nothing yet, and opening the store would make it: commands that only look need not."""

    @property
    def disk(self) -> Path | None:
        """A directory on the disk of this machine that the readings fill, or None."""

    def make(self) -> Store:
        """The store, not opened yet. Raises ReceiverSettingError."""

    def examine(self, *, opens: bool) -> Iterator[tuple[bool, str]]:
        """What a doctor finds beyond `opens`, whether the store opens: whether each is fine, and a sentence."""

    def set_up(self, clock: Clock) -> AsyncIterator[str]:
        """Prepare what the store needs; a sentence for each step. Raises ReceiverError."""


def choose_store(settings: ReceiverSettings) -> ChosenStore:
    """The store that the settings name."""
    match settings.store:
        case Sqlite(path):
            return _ChosenSqlite(path, _Kept(settings.meter_days, settings.minute_days))
        case InfluxDB() as influxdb:
            return _ChosenInfluxDB(
                influxdb, _Kept(settings.meter_days, settings.minute_days), settings.legacy_measurement
            )


def make_store(settings: ReceiverSettings) -> Store:
    """The store that the settings name, not opened yet. Raises ReceiverSettingError."""
    return choose_store(settings).make()


class _Kept(NamedTuple):
    """Days that raw meter readings and minutes are kept; 0 is without limit."""

    meter_days: int
    minute_days: int

    def make_retention(self) -> dict[str, int | None]:
        """As stores take it: per kind, in milliseconds."""
        return {"meter": self.meter_days * DAY_MS or None} | dict.fromkeys(HOURS_OF, self.minute_days * DAY_MS or None)


@dataclass(frozen=True)
class _ChosenSqlite:
    path: Path
    kept: _Kept

    @property
    def is_missing(self) -> bool:
        return not self.path.exists()

    @property
    def disk(self) -> Path:
        return self.path.parent

    def make(self) -> Store:
        return SqliteStore(self.path, retention_ms=self.kept.make_retention())

    def examine(self, *, opens: bool) -> Iterator[tuple[bool, str]]:
        if opens:
            damage = find_damage(self.path)
            yield (False, f"store: {damage}") if damage else (True, "store: all of the file is sound")

    async def set_up(self, clock: Clock) -> AsyncIterator[str]:  # noqa: ARG002 (nothing to wait for)
        yield f"nothing to set up: the receiver stores in {self.path} (RECEIVER_STORE is not influxdb)"


@dataclass(frozen=True)
class _ChosenInfluxDB:
    """What only InfluxDB needs is imported where it is used: it costs memory and start-up time."""

    influxdb: InfluxDB
    kept: _Kept
    legacy: bool
    is_missing = False
    disk = None

    def make(self) -> Store:
        chosen = self.influxdb
        if chosen.token is None:
            raise ReceiverSettingError(
                "RECEIVER_STORE=influxdb needs a token: run `envoy-receiver setup`, which writes one into "
                "RECEIVER_TOKENS_DIR, or set INFLUXDB_V2_TOKEN or INFLUXDB_V2_TOKEN_FILE"
            )
        from receiver.stores.influxdb import InfluxStore  # noqa: PLC0415 (see above)

        is_shared = chosen.live_bucket == chosen.bucket  # with what is kept without limit
        return InfluxStore(
            chosen.url,
            chosen.org,
            chosen.token,
            chosen.bucket,
            chosen.live_bucket,
            retention_ms=self.kept.make_retention() | ({"meter": None} if is_shared else {}),
            legacy=self.legacy,
        )

    def examine(self, *, opens: bool) -> Iterator[tuple[bool, str]]:  # noqa: ARG002 (it says why it does not open)
        if self.influxdb.token is None:
            return
        from receiver.stores.influxdb import setup  # noqa: PLC0415 (see above)

        url = self.influxdb.url
        server = setup.InfluxManagement(url, self.influxdb.token)
        try:
            version = server.read_version()
            remark = setup.check_version(version, url) or f"{url} answers, version {version or 'unknown'}"
            yield True, f"InfluxDB: {remark}"
            problems = list(setup.find_problems(server, self.influxdb, self.kept.meter_days))
        except setup.SetupError as error:
            problems = [str(error)]
        finally:
            server.close()
        yield from ((False, f"InfluxDB: {problem}") for problem in problems)
        if not problems:
            yield True, "InfluxDB: the token may write and read the buckets, and their expiry is as set"

    async def set_up(self, clock: Clock) -> AsyncIterator[str]:
        from receiver.stores.influxdb.setup import set_up  # noqa: PLC0415 (see above)

        async for sentence in set_up(self.influxdb, self.kept.meter_days, clock):
            yield sentence

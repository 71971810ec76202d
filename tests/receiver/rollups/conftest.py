"""What the roll-ups' tests share; the stores under test are the same as those of the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from receiver.rollups.job import Rollups
from receiver.sites.cloud_links import find_linked_gateway
from receiver.stores.base import Store
from receiver.stores.sqlite import SqliteStore
from tests.clocks import SetClock
from tests.receiver.rollups.example_households import MIDNIGHT, Sites
from tests.receiver.rollups.linked_home import HOME, LINKED
from tests.receiver.stores.conftest import make_store, store

__all__ = ["clock", "linked_job", "linked_sites", "make_store", "rollups", "sqlite_store", "store"]


@pytest.fixture
def clock() -> SetClock:
    """A clock that the test sets."""
    return SetClock(MIDNIGHT)


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open, empty SQLite store, for tests of what is the same over every store."""
    opened = SqliteStore(tmp_path / "readings.sqlite")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def linked_sites() -> Sites:
    """A sites file that links a gateway to its system of the cloud."""
    sites = Sites()
    sites.sites[HOME] = LINKED
    return sites


@pytest.fixture
async def linked_job(store: Store, clock: SetClock, linked_sites: Sites, tmp_path: Path) -> AsyncIterator[Rollups]:
    """The job over each store, for that gateway and that system."""

    def find_linked(system: str) -> str | None:
        return find_linked_gateway(linked_sites.sites, system)

    made = Rollups(
        store, site_of=linked_sites.get_site, clock=clock, state_dir=tmp_path / "state", find_linked=find_linked
    )
    yield made
    await made.close()


@pytest.fixture
async def rollups(sqlite_store: SqliteStore, clock: SetClock, tmp_path: Path) -> AsyncIterator[Rollups]:
    """The job over the SQLite store, for households without a site."""
    made = Rollups(sqlite_store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    yield made
    await made.close()

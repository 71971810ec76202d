"""Taking imported energies back, with all that roll-ups have of them: an import that was of a wrong zone or gateway."""

from collections.abc import Collection
from dataclasses import dataclass

from receiver.ingest.journal import Journal, JournalBegunAgainError, JournalError
from receiver.rollups.coarser import roll_energies
from receiver.rollups.imports import IMPORTED, ImportedEnergies, split_into_runs
from receiver.rollups.taken_over import ImportedWindow, list_windows
from receiver.sites.model import Site
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.gate import MAX_TIMESTAMP_MS
from shared.units import QUARTER_MS

_WINDOWS_AT_ONCE = 5_000


@dataclass
class ForgottenEnergies:
    """What was taken back.

    Attributes:
        count: Imported windows.
        first: Begin of the earliest, milliseconds since 1970; None: there was none.
        last: Begin of the latest.
    """

    count: int = 0
    first: int | None = None
    last: int | None = None


class EnergyForgetter:
    """Removes the imported energies of one gateway.

    Each piece is noted in the journal before anything of it goes, and its windows go last: after an interruption the
    same command goes on, and a receiver that starts in between computes the piece again.

    Args:
        gateway: Serial.
        site: Its calendar and prices.
        store: Where they are.
        journal: Of the roll-ups; None: a dry run counts only.
    """

    def __init__(self, gateway: str, site: Site, store: Store, journal: Journal | None) -> None:
        self._gateway = gateway
        self._site = site
        self._store = store
        self._journal = journal
        self._energies = ImportedEnergies(store)
        self.forgotten = ForgottenEnergies()

    async def forget(self) -> None:
        """Remove all of them. Raises StoreUnavailableError; every piece that is gone stays so."""
        start = 0
        while True:
            found = await self._store.read_points(
                self._gateway, IMPORTED, start=start, stop=MAX_TIMESTAMP_MS, most=_WINDOWS_AT_ONCE
            )
            if not found:
                return
            # Up to where all series were read.
            stop = min(one.points[-1].timestamp for one in found) + 1
            found = [one._replace(points=[point for point in one.points if point.timestamp < stop]) for one in found]
            times = sorted(point.timestamp for one in found for point in one.points)
            start = stop
            if self._journal is not None:
                for run in split_into_runs(list_windows(found)):
                    await self._take_back(run, self._journal)
                await self._store.remove(self._gateway, IMPORTED, start=times[0], stop=start)
            self._count(times)

    async def _take_back(self, run: list[ImportedWindow], journal: Journal) -> None:
        first, stop = run[0].start, run[-1].stop
        await _note(journal, [(self._gateway, quarter) for quarter in range(first, stop, QUARTER_MS)])
        await self._energies.withdraw(self._gateway, run, self._site)
        await roll_energies(self._store, self._gateway, self._site, first, stop)

    def _count(self, times: list[int]) -> None:
        known = self.forgotten
        known.count += len(times)
        known.first = times[0] if known.first is None else known.first
        known.last = times[-1]


async def _note(journal: Journal, quarters: Collection[tuple[str, int]]) -> None:
    """Have these in the journal, in a new one if it has to be. Raises StoreUnavailableError."""
    try:
        try:
            await journal.add(quarters, told=True)
        except JournalBegunAgainError:
            await journal.add(quarters, told=True)
    except JournalError as error:
        raise StoreUnavailableError(str(error)) from error

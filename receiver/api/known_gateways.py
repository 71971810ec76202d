"""Which gateways there are: those that have readings."""

from receiver.auth.gate import Caller
from receiver.errors import RefusedError
from receiver.stores.base import GatewaySummary, Store
from shared.problems import Problem

_FEW = 20
"""So many gateways of a token are looked up one by one; for more it is quicker to look at all that there are."""


class KnownGateways:
    """Tells gateways with readings from those without.

    Args:
        store: Where the readings are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: set[str] = set()

    async def check(self, serial: str) -> None:
        """Raises RefusedError (not-found) as `summarise` does.

        A gateway that has readings keeps some, so the store is asked once for each.
        """
        if serial not in self._found:
            await self.summarise(serial)

    async def summarise(self, serial: str) -> GatewaySummary:
        """What is stored of a gateway.

        Raises:
            RefusedError: not-found, for a gateway without readings; also to readers who may see every gateway.
        """
        summary = await self._store.read_summary(serial)
        if summary is None:
            raise RefusedError(Problem.NOT_FOUND, "gateway-unknown")
        self._found.add(serial)
        return summary

    async def list_seen_by(self, caller: Caller) -> list[GatewaySummary]:
        """What is stored of each gateway with readings that a reader may see, by serial."""
        if caller.gateways is None or len(caller.gateways) > _FEW:
            found = await self._store.list_gateways()
            return [each for each in found if caller.gateways is None or each.gateway in caller.gateways]
        each = [await self._store.read_summary(serial) for serial in sorted(caller.gateways)]
        return [summary for summary in each if summary is not None]

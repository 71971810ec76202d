"""Which gateways there are: those that have readings."""

from receiver.errors import RefusedError
from receiver.stores.base import GatewaySummary, Store
from shared.problems import Problem


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

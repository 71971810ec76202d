"""How much of the simulated past the page can show."""

import json

from standalone.api import ReceiverApi, StatusPort
from standalone.errors import NotReadyError
from standalone.processes import Child

_LOADED_SHARE = 0.99
"""What is loaded is not there yet: the receiver still computes hours and days from it."""
_LIVE_QUARTERS = 4
"""So many quarter hours wait for roll-ups in a receiver that has only live data to compute."""


class PastWatch:
    """Asks the receiver whether the past is complete, once the loader has stored all of it.

    Args:
        loader: Stores the past; None: there is none.
        api: Of the receiver.
        status: Of the receiver.
        hours: Length of the past.
    """

    def __init__(self, loader: Child | None, api: ReceiverApi, status: StatusPort, hours: int) -> None:
        self._loader = loader
        self._api = api
        self._status = status
        self._hours = hours
        self._complete = False

    async def read_share(self) -> float | None:
        """0 to 1, and 1 only when every hour is known to the page; None without a past."""
        if self._loader is None:
            return None
        if self._complete:
            return 1.0
        loaded = float(json.loads(self._loader.output)["done"]) if self._loader.output else 0.0
        if loaded >= 1:
            try:
                self._complete = await self._is_rolled_up() and await self._api.is_past_known(self._hours)
            except NotReadyError:
                return _LOADED_SHARE  # the view says by itself that the receiver does not answer
        return 1.0 if self._complete else loaded * _LOADED_SHARE

    async def _is_rolled_up(self) -> bool:
        """Whether the receiver waits with nothing but live data. Raises NotReadyError."""
        waiting = (await self._status.read_metrics()).get("receiver_rollup_dirty_quarters")
        return waiting is not None and waiting <= _LIVE_QUARTERS

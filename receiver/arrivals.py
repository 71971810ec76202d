"""When each gateway's last batch came, and how old its newest reading then was.

Lost at a restart, and known again with the next batch.
"""

from typing import NamedTuple


class Arrival(NamedTuple):
    """The last batch of a gateway that had readings; both milliseconds since 1970."""

    received: int
    newest: int


class Arrivals:
    """The last arrival of each gateway."""

    def __init__(self) -> None:
        self._last: dict[str, Arrival] = {}

    def note(self, gateway: str, *, received: int, newest: int) -> None:
        """A batch was stored. Of a backlog and live readings that arrive side by side, the newest reading counts."""
        last = self._last.get(gateway)
        if last is None or newest >= last.newest:
            self._last[gateway] = Arrival(received, newest)

    def last(self, gateway: str) -> Arrival | None:
        """The last arrival since this process started."""
        return self._last.get(gateway)

"""Two scrapers for one gateway: their outbox ids take turns. Neither is refused; an alert tells people.

One id after another is a scraper that got a new state. Only an id that comes back after another one means two.
"""

from collections import deque

_REMEMBERED = 8


class Outboxes:
    """Outbox ids by gateway, as far back as matters."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[str]] = {}

    def note_batch(self, gateway: str, outbox: str) -> bool:
        """Note a batch. Returns whether its outbox id has come back after another one."""
        seen = self._seen.setdefault(gateway, deque(maxlen=_REMEMBERED))
        if seen and seen[-1] == outbox:
            return False
        came_back = outbox in seen
        if came_back:
            seen.remove(outbox)
        seen.append(outbox)
        return came_back

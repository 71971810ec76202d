"""Who may ask how much at once: a share for each reader and each gateway, and rows for all questions together.

A question that finds its share taken waits, after those whose readers have fewer under way: nobody waits for the many
questions of somebody else. What would wait behind too many, or has waited too long, is refused: come again.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final, TypeVar

from receiver.queries.waiting import LONGEST_WAIT_S, WaitingRoom, Wish, refuse_busy

OF_READER: Final = 2
"""Questions of one reader that are answered at once."""
OF_GATEWAY: Final = 6
"""Questions about one gateway that are answered at once, of all readers together."""
WAITING_OF_READER: Final = 200
"""Questions of one reader that may wait."""
WAITING: Final = 1_000
"""Questions that may wait altogether."""
ROWS: Final = 400_000
"""Rows that all questions together may hold: some 350 bytes each."""


_Name = TypeVar("_Name", str, str | None)


class Shares(WaitingRoom):
    """The share of each reader and of each gateway.

    Args:
        of_reader: Questions of one reader at once.
        of_gateway: Questions about one gateway at once.
        waiting_of_reader: Questions of one reader that may wait.
        longest_wait_s: So many seconds a question waits at most.
    """

    def __init__(
        self,
        *,
        of_reader: int = OF_READER,
        of_gateway: int = OF_GATEWAY,
        waiting_of_reader: int = WAITING_OF_READER,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        super().__init__(longest_wait_s=longest_wait_s)
        self._of_reader = of_reader
        self._of_gateway = of_gateway
        self._waiting_of_reader = waiting_of_reader
        self.readers: Counter[str] = Counter()
        """Questions under way of each reader that has some."""
        self.gateways: Counter[str | None] = Counter()
        """Questions under way about each gateway that has some."""

    @contextlib.asynccontextmanager
    async def get_share(self, reader: str, gateway: str | None) -> AsyncIterator[None]:
        """A share for one question.

        Args:
            reader: Who asks.
            gateway: About which gateway; None for a question about no one gateway.

        Raises:
            RefusedError: store-unavailable, for what waits too long or would wait behind too many.
        """
        mine = sum(wish.reader == reader for wish in self.waiting)
        if mine >= self._waiting_of_reader or len(self.waiting) >= WAITING:
            raise refuse_busy()
        wish = Wish(reader=reader, gateway=gateway)
        await self.enter(wish)
        try:
            yield
        finally:
            self.leave(wish)

    def has_room(self, wish: Wish) -> bool:
        """As `WaitingRoom.has_room`."""
        is_free = wish.gateway is None or self.gateways[wish.gateway] < self._of_gateway
        return is_free and self.readers[wish.reader] < self._of_reader

    def take(self, wish: Wish) -> None:
        """As `WaitingRoom.take`."""
        self.readers[wish.reader] += 1
        self.gateways[wish.gateway] += 1

    def give_back(self, wish: Wish) -> None:
        """As `WaitingRoom.give_back`; who has nothing under way is forgotten."""
        _count_down(self.readers, wish.reader)
        _count_down(self.gateways, wish.gateway)

    def rank(self, wish: Wish) -> int:
        """Who has least under way goes first."""
        return self.readers[wish.reader]


def _count_down(under_way: Counter[_Name], name: _Name) -> None:
    under_way[name] -= 1
    if not under_way[name]:
        del under_way[name]


class RowBudget(WaitingRoom):
    """The rows that all questions together may hold.

    A question says once how many it needs at most, and holds them until its answer is made: so none waits for others
    while it holds what they wait for.

    Args:
        most: Rows.
        longest_wait_s: So many seconds a question waits at most.
    """

    def __init__(self, *, most: int = ROWS, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        super().__init__(longest_wait_s=longest_wait_s)
        self._most = most
        self.held = 0
        """Rows that are held now."""

    @contextlib.asynccontextmanager
    async def open_for_question(self) -> AsyncIterator["HeldRows"]:
        """What one question holds; it is given back at the end."""
        held = HeldRows(self)
        try:
            yield held
        finally:
            held.release()

    def bound(self, rows: int) -> Wish:
        """So many rows, or all that there are."""
        return Wish(rows=min(rows, self._most))

    def has_room(self, wish: Wish) -> bool:
        """As `WaitingRoom.has_room`."""
        return self.held + wish.rows <= self._most

    def take(self, wish: Wish) -> None:
        """As `WaitingRoom.take`."""
        self.held += wish.rows

    def give_back(self, wish: Wish) -> None:
        """As `WaitingRoom.give_back`."""
        self.held -= wish.rows


class HeldRows:
    """The rows that one question holds, until its answer is made.

    Args:
        budget: The rows of all questions.
    """

    def __init__(self, budget: RowBudget) -> None:
        self._budget = budget
        self._wish: Wish | None = None

    async def hold(self, rows: int) -> int:
        """Hold rows; how many they are, for there may be fewer altogether. Once, and before anything is read.

        Raises:
            RefusedError: store-unavailable, for what has waited too long.
        """
        self.release()
        wish = self._budget.bound(rows)
        await self._budget.enter(wish)
        self._wish = wish
        return wish.rows

    def release(self) -> None:
        """Give the rows back, if there are any."""
        if self._wish is not None:
            self._budget.leave(self._wish)
            self._wish = None

"""Questions that wait for room: who goes next, and what becomes of those that leave or wait too long."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from receiver.errors import RefusedError
from shared.problems import Problem

LONGEST_WAIT_S: Final = 60.0
RETRY_S: Final = 5
"""Retry-After of a refused question (seconds)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wish:
    """What a question needs before it may go on.

    Attributes:
        reader: Who asks.
        gateway: About which gateway; None for a question about no one gateway.
        rows: That it may hold.
    """

    reader: str = ""
    gateway: str | None = None
    rows: int = 0


class WaitingRoom(ABC):
    """Room that questions take and give back, and those that wait for it.

    Args:
        longest_wait_s: A question that waits longer is refused.
    """

    def __init__(self, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._longest_wait_s = longest_wait_s
        self.waiting: dict[Wish, asyncio.Future[None]] = {}

    @abstractmethod
    def has_room(self, wish: Wish) -> bool:
        """Whether there is room for it."""

    @abstractmethod
    def take(self, wish: Wish) -> None:
        """Take the room for it."""

    @abstractmethod
    def give_back(self, wish: Wish) -> None:
        """Give that room back."""

    def rank(self, wish: Wish) -> int:  # noqa: ARG002 (for rooms with an order of their own)
        """The lowest goes first; of equals, the one that came first."""
        return 0

    async def enter(self, wish: Wish) -> None:
        """Wait for room and take it; `leave` gives it back.

        Raises:
            RefusedError: store-unavailable, for what has waited too long.
        """
        may_go = self.waiting[wish] = asyncio.get_running_loop().create_future()
        self._admit()
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await may_go
        except BaseException as error:
            self.waiting.pop(wish, None)
            if may_go.done() and not may_go.cancelled():  # it had just been let in
                self.give_back(wish)
            self._admit()
            if isinstance(error, TimeoutError):
                raise refuse_busy() from None
            raise

    def leave(self, wish: Wish) -> None:
        """Give the room of a question back, and let those go on that waited for it."""
        self.give_back(wish)
        self._admit()

    def _admit(self) -> None:
        """Let all go on for whom there is room."""
        while fitting := [wish for wish in self.waiting if self.has_room(wish)]:
            wish = min(fitting, key=self.rank)
            may_go = self.waiting.pop(wish)
            if not may_go.done():
                self.take(wish)
                may_go.set_result(None)


def refuse_busy() -> RefusedError:
    """The refusal of a question that comes while too many others are answered."""
    return RefusedError(
        Problem.STORE_UNAVAILABLE,
        "questions",
        retry_after=RETRY_S,
        detail="Too many questions are being answered: wait, then ask again, fewer at once or for a shorter range.",
    )

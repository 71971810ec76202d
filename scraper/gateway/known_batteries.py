"""Which IQ Batteries there are, while the gateway's lists lack some of them for a poll, or all of them.

Batteries do not go away, but lists are short now and then. One that is missed makes the power of all of them that of a
part, so a battery stays known for a day after it was listed last.
"""

from collections.abc import Collection

from shared.units import DAY_S

STAYS_S = float(DAY_S)
"""A battery that was listed is there for so long (seconds)."""


class KnownBatteries:
    """Remembers serial numbers.

    Attributes:
        is_whole: Whether their number is known: the inventory has listed some, or as many as are heard were listed. An
            inventory that is empty or absent says nothing of it, nor does a list of powers: a gateway that has just
            started sends parts.
    """

    def __init__(self) -> None:
        self._listed_at: dict[str, float] = {}
        self.is_whole = False

    @property
    def serials(self) -> set[str]:
        """All that there are."""
        return set(self._listed_at)

    def note(self, inventory: Collection[str], powers: Collection[str], now_s: float) -> None:
        """Take in the serial numbers of one round.

        Args:
            inventory: Those of the inventory; empty also where it could not be read.
            powers: Those that the list of powers has; likewise.
            now_s: Monotonic seconds.
        """
        self._listed_at |= dict.fromkeys((*inventory, *powers), now_s)
        stays = {serial: at for serial, at in self._listed_at.items() if now_s - at <= STAYS_S}
        if inventory:
            self._listed_at, self.is_whole = stays, True
        elif not stays:
            self.forget()

    def note_count(self, count: int) -> None:
        """Take in how many IQ Batteries the gateway hears: as many as were listed are all of them."""
        self.is_whole = self.is_whole or 0 < count <= len(self._listed_at)

    def forget(self) -> None:
        """Nothing is known any more."""
        self._listed_at, self.is_whole = {}, False

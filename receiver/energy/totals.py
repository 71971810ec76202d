"""The energy of a coarse window from the energies of the finer ones inside it.

Each quantity of the coarse window is the sum of the finer ones, plus the unallocated energy of those gaps that began
inside the coarse window: where a gap lies wholly within, its energy belongs there beyond doubt. The energy of the
other gaps stays unallocated, for a window that is coarser still. So quarter hours are enough for the energy of every
day, week, month and year, whatever the outages and the time zone.

It equals `site_energy` of the coarse window itself, with four exceptions, in all of which it is the more careful one:

- A window knows one start for all its gaps, the earliest. Where counters of different quantities fell silent at
  different times and their gaps end in one fine window, all that energy waits for the window that holds all the gaps.
- Where one phase or meter was silent and others that it is summed with were not, the sum is unknown throughout the
  fine windows in the gap, and what the silent counter knows of it alone is left out (see `flows`).
- A load that comes out below nothing in a fine window (meters disagree by a little) counts as nothing there.
- The coverage of a quantity that several counters make up is that of its least known counter, window by window, and so
  never more than that of the counter that is least known over the whole.
"""

from collections.abc import Sequence

from receiver.energy.balance import QUANTITIES, SHARED, SiteEnergy, build_site_energy
from receiver.energy.energy import WindowEnergy


def sum_windows(parts: Sequence[SiteEnergy], start: int, stop: int) -> SiteEnergy:
    """The energy of the window [start, stop) (UTC milliseconds) from the known windows inside it, in order of time.

    Windows of which nothing is known may be absent.

    Raises:
        ValueError: A part is not inside the window.
    """
    if any(part.start < start or part.stop > stop for part in parts):
        raise ValueError("a finer window sticks out of the coarser one")
    waiting = [part.unallocated_since for part in parts if part.unallocated_since is not None and _waits(part, start)]
    energies, shared = ([_sum(parts, name, start, stop) for name in names] for names in (QUANTITIES, SHARED))
    resets = sum(part.resets for part in parts)
    return build_site_energy(start, stop, energies, resets, min(waiting, default=None), shared)


def _waits(part: SiteEnergy, start: int) -> bool:
    """Whether the unallocated energy of a part flowed, or may have flowed, before `start`."""
    return part.unallocated_since is not None and part.unallocated_since < start


def _sum(parts: Sequence[SiteEnergy], name: str, start: int, stop: int) -> WindowEnergy:
    energies: list[WindowEnergy] = [getattr(part, name) for part in parts]
    known = [energy.wh for energy in energies if energy.wh is not None]
    waiting_wh = 0.0
    for part, energy in zip(parts, energies, strict=True):
        if _waits(part, start):
            waiting_wh += energy.unallocated_wh
        elif energy.unallocated_wh > 0:
            known.append(energy.unallocated_wh)
    covered = sum(energy.coverage * (part.stop - part.start) for part, energy in zip(parts, energies, strict=True))
    return WindowEnergy(sum(known) if known else None, covered / (stop - start), waiting_wh)

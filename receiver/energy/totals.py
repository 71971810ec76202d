"""The energy of a coarse window from the energies of the finer ones inside it.

Each quantity of the coarse window is the sum of the finer ones, plus the unallocated energy of those gaps that began
inside the coarse window: where a gap lies wholly within, its energy belongs there beyond doubt. The energy of the
other gaps stays unallocated, for a window that is coarser still. So quarter hours are enough for the energy of every
day, week, month and year, whatever the outages and the time zone.

What an import says of a window of its own is counted in the same way, and never as covered. Nor is what the cloud
has filled in.

It equals `compute_site_energy` of the coarse window itself, with four exceptions, in all of which it is more careful:

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


def sum_windows(finer: Sequence[SiteEnergy], start: int, stop: int) -> SiteEnergy:
    """The energy of the window [start, stop) (UTC milliseconds) from the known windows inside it, in order of time.

    Windows of which nothing is known may be absent.

    Raises:
        ValueError: A finer window is not inside the window.
    """
    if any(window.start < start or window.stop > stop for window in finer):
        raise ValueError("a finer window sticks out of the coarser one")
    waiting = [
        window.unallocated_since
        for window in finer
        if window.unallocated_since is not None and _has_gap_before(window, start) and has_unallocated(window)
    ]
    energies, shared = ([_sum(finer, name, start, stop) for name in names] for names in (QUANTITIES, SHARED))
    resets = sum(window.resets for window in finer)
    whole = build_site_energy(start, stop, energies, resets, min(waiting, default=None), shared)
    begun = [since for window in finer if (since := window.taken_over_since) is not None and since < start]
    return whole._replace(taken_over_since=min(begun, default=None))


def has_unallocated(window: SiteEnergy) -> bool:
    """Whether energy of a gap is left in it that no window has: what was filled into the gap stands where it flowed."""
    return any(getattr(window, name).unallocated_wh > 0 for name in (*QUANTITIES, *SHARED))


def _has_gap_before(window: SiteEnergy, start: int) -> bool:
    """Whether the unallocated energy of a finer window flowed, or may have flowed, before `start`."""
    return window.unallocated_since is not None and window.unallocated_since < start


def _sum(finer: Sequence[SiteEnergy], name: str, start: int, stop: int) -> WindowEnergy:
    energies: list[WindowEnergy] = [getattr(window, name) for window in finer]
    known = [energy.wh for energy in energies if energy.wh is not None]
    taken = [energy.taken_over_wh for energy in energies if energy.taken_over_wh is not None]
    filled = [energy.filled_wh for energy in energies if energy.filled_wh is not None]
    uncounted = [energy.uncounted_wh for energy in energies if energy.uncounted_wh is not None]
    waiting_wh, waiting_taken = 0.0, None
    for window, energy in zip(finer, energies, strict=True):
        imported_wh = energy.taken_over_unallocated_wh
        if imported_wh is not None and window.taken_over_since is not None:
            if window.taken_over_since < start:
                waiting_taken = (waiting_taken or 0.0) + imported_wh
            else:
                known.append(imported_wh)
                taken.append(imported_wh)
        if _has_gap_before(window, start):
            waiting_wh += energy.unallocated_wh
        elif energy.unallocated_wh > 0:
            known.append(energy.unallocated_wh)
    covered = sum(
        energy.coverage * (window.stop - window.start) for window, energy in zip(finer, energies, strict=True)
    )
    return WindowEnergy(
        sum(known) if known else None,
        covered / (stop - start),
        waiting_wh,
        sum(taken) if taken else None,
        waiting_taken,
        sum(filled) if filled else None,
        sum(uncounted) if uncounted else None,
    )

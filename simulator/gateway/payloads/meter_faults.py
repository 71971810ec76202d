"""Meters that are wired wrongly, or that lose a phase: what they show in place of the truth.

Every function is pure but for the counting of faults that have `times`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from simulator.faults import Faults
from simulator.house.meters import compute_total_consumption
from simulator.house.state import NET, PRODUCTION, TOTAL, PhaseEnergy, PhaseReading

OTHER_PRODUCTION = "pv3p"
"""The meter of other inverters behind the combiner."""

_NOISE_W = -2.8
_ABSENT_W = -1.0
_SHARE_OF_COUNTERS = 0.5

Phases: TypeAlias = tuple[PhaseReading, ...]


def bend_meters(meters: Mapping[str, Phases], faults: Faults) -> dict[str, Phases]:
    """What the meters show with the wiring that faults have given them.

    The total is computed again from what production and net show, as the gateway does.
    """
    bent = dict(meters)
    for name, watts in (("production-ct-off", _NOISE_W), ("production-ct-absent", _ABSENT_W)):
        if faults.get(name) is not None:
            bent[PRODUCTION] = tuple(_show(phase, watts) for phase in bent[PRODUCTION])
    if (other := faults.get("other-production")) is not None:
        share = float(other["watts"]) / len(bent[NET])
        bent[OTHER_PRODUCTION] = tuple(_show(phase, share) for phase in bent[NET])
        bent[NET] = tuple(_show(phase, phase.active_power_w - share) for phase in bent[NET])
    if (turned := faults.get("reversed-ct")) is not None:
        meter = str(turned["meter"])
        bent[meter] = tuple(_turn(phase) for phase in bent[meter])
    if (copied := faults.get("copied-channel")) is not None:
        meter = str(copied["meter"])
        bent[meter] = bent[meter][:1] * len(bent[meter])
    if any(bent[meter] != meters[meter] for meter in (PRODUCTION, NET)):
        bent[TOTAL] = tuple(
            compute_total_consumption(made, net) for made, net in zip(bent[PRODUCTION], bent[NET], strict=True)
        )
    return bent


def add_counters(energies: Mapping[str, tuple[PhaseEnergy, ...]], faults: Faults) -> dict[str, tuple[PhaseEnergy, ...]]:
    """The counters, with those of a meter that only a fault put there: half of what the production meter counts."""
    shown = dict(energies)
    if faults.get("other-production") is not None:
        shown[OTHER_PRODUCTION] = tuple(
            PhaseEnergy(energy.delivered_wh * _SHARE_OF_COUNTERS, 0.0) for energy in energies[PRODUCTION]
        )
    return shown


def find_lost_phase(faults: Faults, path: str) -> tuple[str, int] | None:
    """The meter and the phase (from 0) that drop out of this reply; None for none."""
    lost = faults.take("phase-drops", path)
    return None if lost is None else (str(lost["meter"]), int(lost["phase"]))


def is_zero(faults: Faults, path: str, meter: str) -> bool:
    """Whether every phase of this meter is 0 in this reply."""
    zero = faults.get("meter-zeros", path)
    return zero is not None and zero["meter"] == meter


def zero_document(document: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    """What a phase shows that has dropped out: zeros in everything but its names, its time and its frequency."""
    return {key: value if key in keep else 0.0 for key, value in document.items()}


def _show(phase: PhaseReading, watts: float) -> PhaseReading:
    """A phase at the same voltage with another power."""
    apparent = abs(watts)
    return phase._replace(
        active_power_w=watts,
        reactive_power_var=0.0,
        apparent_power_va=apparent,
        current_a=apparent / phase.voltage_v,
        power_factor=1.0 if watts > 0 else -1.0 if watts < 0 else 0.0,
    )


def _turn(phase: PhaseReading) -> PhaseReading:
    return phase._replace(
        active_power_w=-phase.active_power_w,
        reactive_power_var=-phase.reactive_power_var,
        power_factor=-phase.power_factor,
    )

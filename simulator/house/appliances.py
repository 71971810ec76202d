"""The appliances: for each of them, its uses on one day. A day's random numbers in, uses out."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from simulator.units import HOUR_S, MINUTE_S


class ApplianceDay(NamedTuple):
    """The data of the day that an appliance depends on.

    Attributes:
        dice: The day's own random choices, for this appliance alone.
        weekend: Saturday or Sunday.
        noon_c: Air temperature at noon (C).
        sunset_s: Seconds after local midnight at which it gets dark.
        heat_pump_w: The profile's, 0 for none.
        ev_w: The profile's, 0 for none.
    """

    dice: Random
    weekend: bool
    noon_c: float
    sunset_s: int
    heat_pump_w: float
    ev_w: float


class Use(NamedTuple):
    """One stretch of constant power.

    Attributes:
        start_s: Seconds after local midnight; may lie beyond the day's end.
        seconds: How long.
        watts: Active power.
        power_factor: Inductive; 1 for heat.
        circuit: Number of the circuit, which sits on phase `circuit % phases`; None for all phases alike.
    """

    start_s: int
    seconds: int
    watts: float
    power_factor: float
    circuit: int | None


def use_fridge(day: ApplianceDay) -> Iterator[Use]:
    """Cycle all day, longer when it is warm."""
    at = day.dice.randrange(30 * MINUTE_S)
    while at < 24 * HOUR_S:
        on = int(day.dice.uniform(12, 17) * MINUTE_S * (1.0 + max(0.0, day.noon_c - 20.0) / 40.0))
        yield Use(at, 2, 320.0, 0.6, 0)
        yield Use(at + 2, on, day.dice.uniform(78, 92), 0.82, 0)
        at += on + int(day.dice.uniform(24, 36) * MINUTE_S)


def use_kettle(day: ApplianceDay) -> Iterator[Use]:
    """Boil water around breakfast and through the day."""
    hours = [7.2, 10.5, 16.0, 20.3] if day.weekend else [6.6, 7.1, 17.6, 20.3]
    for hour in hours:
        if day.dice.random() < 0.85:
            start = int((hour + day.dice.gauss(0, 0.35)) * HOUR_S)
            yield Use(start, day.dice.randrange(110, 230), 2050.0, 1.0, 1)


def use_oven(day: ApplianceDay) -> Iterator[Use]:
    """Heat up, then hold by thermostat; most evenings and at noon on weekends."""
    hour = day.dice.choice([12.0, 18.2]) if day.weekend else 18.2
    if day.dice.random() > 0.65:
        return
    at = int((hour + day.dice.gauss(0, 0.4)) * HOUR_S)
    done = at + day.dice.randrange(35, 65) * MINUTE_S
    on = day.dice.randrange(7, 10) * MINUTE_S
    while at < done:
        yield Use(at, on, 2350.0, 1.0, 2)
        at += on + day.dice.randrange(100, 160)
        on = day.dice.randrange(45, 75)


def use_hob(day: ApplianceDay) -> Iterator[Use]:
    """Cook on an induction plate that works in pulses."""
    at = int((18.6 + day.dice.gauss(0, 0.5)) * HOUR_S)
    for _ in range(day.dice.randrange(18, 40)):
        on = day.dice.randrange(20, 45)
        yield Use(at, on, day.dice.choice([900.0, 1400.0, 1800.0]), 0.97, 0)
        at += on + day.dice.randrange(15, 40)


def use_washing_machine(day: ApplianceDay) -> Iterator[Use]:
    """Heat, turn to and fro, spin; every third day or so."""
    if day.dice.random() > (0.6 if day.weekend else 0.3):
        return
    at = int(day.dice.uniform(8.5, 14.0) * HOUR_S)
    heating = day.dice.randrange(9, 15) * MINUTE_S
    yield Use(at, heating, 1950.0, 1.0, 2)
    at += heating
    for _ in range(day.dice.randrange(60, 90)):
        turn = day.dice.randrange(9, 16)
        yield Use(at, turn, day.dice.uniform(170, 300), 0.65, 2)
        at += turn + day.dice.randrange(4, 9)
    yield Use(at, day.dice.randrange(6, 9) * MINUTE_S, 480.0, 0.7, 2)


def use_dishwasher(day: ApplianceDay) -> Iterator[Use]:
    """Heat twice, wash between; most evenings."""
    if day.dice.random() > 0.6:
        return
    at = int((20.4 + day.dice.gauss(0, 0.5)) * HOUR_S)
    for watts, minutes in ((70, 8), (1900, 13), (80, 35), (1900, 11), (60, 12)):
        yield Use(at, minutes * MINUTE_S, float(watts), 0.95, 1)
        at += minutes * MINUTE_S


def use_lights(day: ApplianceDay) -> Iterator[Use]:
    """Light the rooms one by one from dusk to bedtime, and in a dark morning."""
    for room in range(5):
        start = max(day.sunset_s - 15 * MINUTE_S, 16 * HOUR_S) + day.dice.randrange(40) * MINUTE_S
        end = int((22.6 + day.dice.gauss(0, 0.5)) * HOUR_S)
        if end > start:
            yield Use(start, end - start, day.dice.uniform(14, 45), 0.92, room)
    if day.sunset_s < 18 * HOUR_S:
        yield Use(int(6.4 * HOUR_S), 80 * MINUTE_S, 70.0, 0.92, 0)


def use_screens(day: ApplianceDay) -> Iterator[Use]:
    """Work by day, television at night."""
    if not day.weekend:
        yield Use(int((8.6 + day.dice.gauss(0, 0.2)) * HOUR_S), 8 * HOUR_S, day.dice.uniform(60, 130), 0.9, 1)
    yield Use(int((19.6 + day.dice.gauss(0, 0.5)) * HOUR_S), day.dice.randrange(90, 200) * MINUTE_S, 125.0, 0.9, 2)


def use_heat_pump(day: ApplianceDay) -> Iterator[Use]:
    """Heat when it is cold, cool when it is hot; cycle for the hot water anyway."""
    if not day.heat_pump_w:
        return
    need = max(0.0, 15.0 - day.noon_c) / 22.0 + max(0.0, day.noon_c - 24.0) / 14.0
    share = min(0.9, 0.06 + need)
    at = day.dice.randrange(40 * MINUTE_S)
    while at < 24 * HOUR_S:
        on = int(day.dice.uniform(14, 24) * MINUTE_S)
        yield Use(at, on, day.heat_pump_w * day.dice.uniform(0.85, 1.0), 0.93, None)
        at += int(on / share)


def use_car(day: ApplianceDay) -> Iterator[Use]:
    """Charge every third evening or so, at full power and then ever less."""
    if not day.ev_w or day.dice.random() > 0.35:
        return
    at = int((18.9 + day.dice.gauss(0, 0.8)) * HOUR_S)
    full = int(day.dice.uniform(0.7, 2.6) * HOUR_S)
    yield Use(at, full, day.ev_w, 0.99, None)
    at += full
    for share in (0.7, 0.45, 0.25, 0.12):
        yield Use(at, 4 * MINUTE_S, day.ev_w * share, 0.98, None)
        at += 4 * MINUTE_S


APPLIANCES: tuple[Callable[[ApplianceDay], Iterator[Use]], ...] = (
    use_fridge,
    use_kettle,
    use_oven,
    use_hob,
    use_washing_machine,
    use_dishwasher,
    use_lights,
    use_screens,
    use_heat_pump,
    use_car,
)
"""Everything in the house; the functions' names seed their dice."""

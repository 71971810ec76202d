"""Random houses as readings, and what a store would give of them with neighbours."""

import random
from collections.abc import Sequence

from receiver.rollups.compute import FIELDS, RawSeries
from receiver.rollups.series import REPORT_LOOK_BACK_MS, REPORT_LOOK_MS
from receiver.stores.base import Point, SeriesPoints, find_neighbour_reach_ms
from shared.fields import KINDS
from shared.readings import FieldValue, Reading, Series
from shared.units import QUARTER_MS

START = 1_717_999_200_000
"""A whole hour of a Monday."""
MINUTE = 60_000


def load(readings: Sequence[Reading], start: int, stop: int) -> RawSeries:
    """What a store holds of [start, stop), with neighbours as `Store.read_points` promises them."""
    looks = (REPORT_LOOK_BACK_MS, REPORT_LOOK_MS)
    around = {kind: looks if kind == "inverter" else (0, 0) for kind in RawSeries._fields}
    return RawSeries(*(
        _select_kind(readings, kind, start - back, stop + ahead) for kind, (back, ahead) in around.items()
    ))  # fmt: skip


def _select_kind(readings: Sequence[Reading], kind: str, start: int, stop: int) -> list[SeriesPoints]:
    merged: dict[Series, dict[int, dict[str, FieldValue]]] = {}
    for reading in readings:
        if reading.kind == kind:
            merged.setdefault(reading.series, {}).setdefault(reading.timestamp, {}).update(reading.fields)
    answer = []
    for series in sorted(merged):
        points = [Point(time, fields) for time, fields in sorted(merged[series].items())]
        if wanted := _add_neighbours(points, kind, start, stop):
            answer.append(SeriesPoints(series, wanted))
    return answer


def _add_neighbours(points: list[Point], kind: str, start: int, stop: int) -> list[Point]:
    reach = find_neighbour_reach_ms(kind)
    wanted = {point.timestamp for point in points if start <= point.timestamp < stop}
    for name in FIELDS[kind]:
        times = [point.timestamp for point in points if name in point.fields]
        before = [time for time in times if time < start and (reach is None or start - time <= reach)]
        after = [time for time in times if time >= stop and (reach is None or time - stop <= reach)]
        wanted |= {*before[-1:], *after[:1]}
    return [point for point in points if point.timestamp in wanted]


class RandomHouse:
    """One random house: its meters, inverters and outages.

    Args:
        seed: Another one, another house.
        hours: How long its history is.
    """

    def __init__(self, seed: int, hours: int) -> None:
        self._random = random.Random(seed)
        self._stop = START + hours * 60 * MINUTE
        self.readings: list[Reading] = []
        chance = self._random
        if chance.random() < 0.7:
            self._add_meter("production", "ab")
        else:
            self._add_totals()
        self._add_meter("net-consumption", "a" if chance.random() < 0.3 else "abc")
        if chance.random() < 0.3:
            self._add_meter("storage", "a")
        if chance.random() < 0.3:
            self._add_meter("total-consumption", "ab")
        for number in range(chance.randint(0, 5)):
            self._add_inverter(f"48{number}")
        if chance.random() < 0.4:
            self._add_batteries()
        if chance.random() < 0.3:
            self._add_generator()
        outage = START + chance.randint(0, hours * 60) * MINUTE
        length = chance.choice([0, 3, 30, 100]) * MINUTE
        self.readings = [r for r in self.readings if not outage <= r.timestamp < outage + length]

    def _make_times(self, usual: int) -> list[int]:
        """Stamps with jitter, late ones and silences."""
        times, time = [], START - self._random.randint(0, usual)
        while time < self._stop:
            times.append(time)
            time += self._random.choice([usual, usual, usual, usual + 777, usual // 2, 3 * usual, 10 * usual])
        return times

    def _add_meter(self, meter: str, phases: str) -> None:
        times, read = self._make_times(20_000), self._make_times(MINUTE)
        for phase in phases:
            tags = {"meter": meter, "phase": phase}
            is_away = False
            for time in times:
                is_whole = is_away or self._random.random() < 0.2  # what says `measured` says all
                names = [name for name in KINDS["meter"].fields if is_whole or self._random.random() < 0.6]
                fields: dict[str, FieldValue] = {name: self._random.uniform(-3000, 3000) for name in names}
                fields.pop("measured", None)
                fields |= {"measured": 1.0} if is_whole else {}
                if self._random.random() < 0.1:  # a phase that drops out says so, and says all when it is back
                    fields = {"frequency": 50.0, "measured": 0.0}
                if fields and (is_away or self._random.random() < 0.9):
                    is_away = fields.get("measured") == 0.0
                    self.readings.append(Reading("meter", tags, time, fields))
            self._count("meter_energy", tags, "delivered", read)
            self._count("meter_energy", tags, "received", read)

    def _add_totals(self) -> None:
        for source in self._random.sample(["pdm", "inverters", "api"], self._random.randint(0, 2)):
            self._count("production", {"source": source}, "energy_lifetime", self._make_times(4 * MINUTE))

    def _add_inverter(self, serial: str) -> None:
        times, tags = self._make_times(self._random.choice([5, 15]) * MINUTE), {"inverter": serial}
        has_details = self._random.random() < 0.5
        for time in times:
            fields: dict[str, FieldValue] = {"power": float(self._random.randint(0, 290)), "max_power": 290.0}
            self.readings.append(Reading("inverter", tags, time, fields | ({"interval": 900.0} if has_details else {})))
        if has_details:
            self._count("inverter", tags, "energy_lifetime", times)

    def _add_batteries(self) -> None:
        """Two of them, of which one is silent now and then."""
        for time in self._make_times(20_000):
            measured = self._random.choice([2.0, 2.0, 2.0, 2.0, 1.0])
            fields: dict[str, FieldValue] = {"batteries": 2.0, "measured": measured}
            if measured == 2.0:
                fields["power"] = self._random.uniform(-3000, 3000)
            self.readings.append(Reading("storage", {}, time, fields))
        if self._random.random() < 0.5:
            for serial in ("1", "2"):
                times = self._make_times(self._random.choice([5, 15]) * MINUTE)
                for name in ("discharged", "charged"):
                    self._count("battery", {"battery": serial}, name, times)

    def _add_generator(self) -> None:
        """A generator and a main relay, which are not heard of all the time."""
        for time in self._make_times(5 * MINUTE):
            runs = self._random.random() < 0.3
            known: dict[str, FieldValue] = {"known": 1.0, "running": float(runs)}
            if self._random.random() < 0.5:
                if self._random.random() < 0.1:
                    known = {"known": 0.0}
                self.readings.append(Reading("generator", {}, time, known))
            if self._random.random() < 0.5:
                mode = "generator" if runs else self._random.choice(["connected", "connected", "islanded"])
                self.readings.append(Reading("grid", {}, time, {"mode": mode}))

    def _count(self, kind: str, tags: dict[str, str], name: str, times: list[int]) -> None:
        counted = self._random.uniform(0, 1e6)
        for time in times:
            counted = 0.0 if self._random.random() < 0.01 else counted + self._random.choice([0.0, 1.5, 40.0])
            self.readings.append(Reading(kind, tags, time, {name: counted}))


def find_quarter(number: int) -> int:
    """Where the quarter hour of that number begins."""
    return START + number * QUARTER_MS

"""`Tracker`: the delta state of one gateway, which advances only after the commit of what it proposed.

proposal = tracker.propose(readings)
outbox.append(proposal.rows)  # if this fails, the state stays and nothing is lost from view
tracker.accept(proposal)
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scraper.delta import counters, inverters, meters, states
from scraper.delta.bands import DEFAULT_BANDS, Bands
from scraper.delta.counters import KINDS_COUNTED, CounterHistory
from scraper.delta.inverters import InverterDates
from scraper.delta.meters import MeterState
from scraper.delta.states import KINDS_OF_STATE, StatesSent
from shared.fields import BREATH_MS
from shared.readings import Reading, Series

_REPORTED_BY_EXCEPTION = frozenset({"meter", "storage"})
STALL_MS = BREATH_MS
"""A pause between two samples of a series after which nothing may be said about the time between (milliseconds)."""


class Delta(NamedTuple):
    """What to commit, and the state that holds once it is.

    Attributes:
        rows: The readings to commit, in one transaction. May be empty: accept the proposal all the same.
        meters: Next state of the series reported by exception that were looked at.
        inverters: Next state of the inverters, None if none was looked at.
        counters: Next state of the counters, None if none was looked at.
        basis: The three states that it was made from; for the meters their version.
        states: What is known to be stored of grid, generator, relays and tariff, None if none was looked at.
    """

    rows: tuple[Reading, ...]
    meters: Mapping[Series, MeterState]
    inverters: InverterDates | None
    counters: CounterHistory | None
    basis: tuple[int, InverterDates, CounterHistory]
    states: StatesSent | None = None


class Tracker:
    """Decides what of the gateway's readings is new, by kind.

    `meter` and `storage`: exception reporting; `inverter`: report dates; `meter_energy` and `production`: once a
    minute; `grid`, `generator`, `relay`, `tariff`: on change; every other kind passes as it is. Not thread-safe: one
    task owns it.
    """

    def __init__(self, bands: Bands = DEFAULT_BANDS, *, stall_ms: int = STALL_MS) -> None:
        self._bands = bands
        self._stall_ms = stall_ms
        self._meters: dict[Series, MeterState] = {}
        self._inverters: InverterDates = {}
        self._counters = CounterHistory()
        self._states: StatesSent = {}
        self._version = 0

    def propose(self, readings: Sequence[Reading]) -> Delta:
        """Decide what of `readings` (one answer or event of the gateway) must be stored. Changes nothing."""
        rows: list[Reading] = []
        changed: dict[Series, MeterState] = {}
        reports: list[Reading] = []
        counted: list[Reading] = []
        lasting: list[Reading] = []
        for reading in readings:
            if reading.kind in _REPORTED_BY_EXCEPTION:
                series = reading.series
                changed[series], new = self._detect_meter(changed.get(series) or self._meters.get(series), reading)
                rows += new
            elif reading.kind == "inverter":
                reports.append(reading)
            elif reading.kind in KINDS_COUNTED:
                counted.append(reading)
            elif reading.kind in KINDS_OF_STATE:
                lasting.append(reading)
            else:
                rows.append(reading)
        dates, count, sent = None, None, None
        if reports:
            dates, new = inverters.detect(self._inverters, reports)
            rows += new
        if counted:
            count, new = counters.detect(self._counters, counted)
            rows += new
        if lasting:
            sent, new = states.detect(self._states, lasting)
            rows += new
        return Delta(tuple(rows), changed, dates, count, self._basis, sent)

    def flush(self) -> Delta:
        """The held-back samples of all meter series: on a stall, a disconnect and an orderly stop."""
        rows: list[Reading] = []
        changed: dict[Series, MeterState] = {}
        for series, state in self._meters.items():
            after, held = meters.flush(state)
            if held:
                changed[series] = after
                rows += held
        return Delta(tuple(rows), changed, None, None, self._basis)

    def accept(self, proposal: Delta) -> None:
        """Advance: the rows of `proposal` are committed.

        Raises ValueError if the part of the state that it changes (meters, inverters or counters) moved on since it
        was made: it would undo what was learned in between.
        """
        version, dates, count = proposal.basis
        if (
            (proposal.meters and version != self._version)
            or (proposal.inverters is not None and dates is not self._inverters)
            or (proposal.counters is not None and count is not self._counters)
        ):
            raise ValueError("the proposal is out of date: propose again from the present state")
        if proposal.meters:
            self._version += 1
            self._meters.update(proposal.meters)
        self._inverters = self._inverters if proposal.inverters is None else proposal.inverters
        self._counters = self._counters if proposal.counters is None else proposal.counters
        self._states = self._states if proposal.states is None else proposal.states

    def reset(self) -> None:
        """Make the next sample of every meter, counter and state a snapshot, as in a new Tracker: after a reconnect.

        What an inverter reported stays known, so that a report date never goes out twice with different values.
        Flush first: held-back samples are forgotten.
        """
        self._version += 1
        self._meters = {}
        self._states = {}
        self._counters = counters.forget_stored(self._counters)

    def shift_reports(self, by_ms: int) -> None:
        """The correction of the gateway's clock changed: known report dates move by `by_ms` (old minus new offset)."""
        self._inverters = inverters.shift(self._inverters, by_ms)

    @property
    def _basis(self) -> tuple[int, InverterDates, CounterHistory]:
        return self._version, self._inverters, self._counters

    def _detect_meter(self, state: MeterState | None, sample: Reading) -> tuple[MeterState, tuple[Reading, ...]]:
        """Exception reporting; after a pause or a step of the clock what was held goes out and the series restarts."""
        if state is None or abs(sample.timestamp - state.held.timestamp) <= self._stall_ms:
            return meters.detect(state, sample, self._bands)
        _, held = meters.flush(state)
        after, new = meters.detect(None, sample, self._bands)
        return after, held + new

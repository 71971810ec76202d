"""What is known at one moment, for the judgement. Plain values; None is unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from receiver.sites.model import Site
from receiver.stores.base import Latest


class Backlog(NamedTuple):
    """The fewest readings that waited at the scraper: lately, and about an hour ago."""

    now: float
    before: float


class PanelQuarters(NamedTuple):
    """A panel in its last quarter hours of daylight: `dead` of each, in order of time."""

    inverter: str
    name: str
    dead: Sequence[bool]


class PanelRatios(NamedTuple):
    """A panel on its last whole days: its energy by that of its peers, of bright days alone, in order of time."""

    inverter: str
    name: str
    ratios: Sequence[float]


class PhaseVoltage(NamedTuple):
    """The voltage of a phase (V): now, and in its highest hour of the last week."""

    phase: str
    now: float
    highest: float


class PowersOfAnHour(NamedTuple):
    """Mean powers of the last whole hour, W: what the production meter shows, and what the inverters report."""

    measured: float
    reported: float


@dataclass(frozen=True, kw_only=True)
class GatewayFacts:
    """One gateway at one moment.

    Attributes:
        gateway: Serial.
        now_ms: The moment, UTC milliseconds.
        site: What the owner says of it.
        status: Latest reading of kind `gateway`.
        open_gap_since: Start of a gap without an end, UTC milliseconds.
        backlog: Of the scraper's outbox.
        lost: Readings lost in the last day.
        quarters: Every panel by day.
        ratios: Every panel on whole days.
        voltages: Every phase.
        powers: Production meter and inverters.
        batteries: Latest readings of kind `battery`.
        grid_mode: As `StorageNow.grid_mode`.
    """

    gateway: str
    now_ms: int
    site: Site
    status: Latest | None = None
    open_gap_since: int | None = None
    backlog: Backlog | None = None
    lost: float | None = None
    quarters: Sequence[PanelQuarters] = ()
    ratios: Sequence[PanelRatios] = ()
    voltages: Sequence[PhaseVoltage] = ()
    powers: PowersOfAnHour | None = None
    batteries: Sequence[Latest] = ()
    grid_mode: str | None = None


class DiskFacts(NamedTuple):
    """A disk of the receiver: what it is for, and its bytes."""

    purpose: str
    free: int
    total: int


ReasonValue: TypeAlias = float | str
NO_VALUES: Final[Mapping[str, ReasonValue]] = MappingProxyType({})


class Condition(NamedTuple):
    """One condition, judged.

    Attributes:
        alarm: Id of its definition.
        gateway: Serial; "" for the receiver itself.
        subject: The panel, phase, battery or disk that it is about; "" for the gateway as a whole.
        holds: Whether it holds; None: it cannot be judged now, and whatever was stays.
        reason: A sentence for people, if it holds.
        since_ms: Since when (UTC milliseconds), where that is known better than by when it was first seen.
        values: What the sentence says, by names that end in the unit: the page says it in other languages by them.
    """

    alarm: str
    gateway: str
    subject: str
    holds: bool | None
    reason: str = ""
    since_ms: int | None = None
    values: Mapping[str, ReasonValue] = NO_VALUES

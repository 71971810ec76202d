"""One moment of the whole chain, as the view shows it. `read_state` asks the receiver and the status ports."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from receiver.api.inverter_answers import InverterEntry
from receiver.api.meter_answers import HouseholdPower, MeterEntry
from standalone.api import UNKNOWN_POWER, ReceiverApi, StatusPort
from standalone.errors import NotReadyError

_T = TypeVar("_T")


class SystemState(NamedTuple):
    """One moment of the chain; None is unknown.

    Attributes:
        power: What the receiver says about the household.
        meters: Every phase of every meter, in the order of the receiver.
        reporting: Number of panels whose last report still speaks of now.
        inverters: Number of inverters that the gateway or the receiver lists.
        age_s: Age of the newest meter or inverter value. Values that stay within their dead-bands are not sent.
        streamed: Events of the meter stream that the scraper has read; None while there is no stream.
        outbox_rows: Readings that wait in the scraper.
        stored: Readings that the receiver has stored since it started.
        problems: What is not well, one sentence each.
    """

    power: HouseholdPower
    meters: Sequence[MeterEntry]
    reporting: int
    inverters: int
    age_s: float | None
    streamed: int | None
    outbox_rows: int | None
    stored: int | None
    problems: Sequence[str]


class Sources(NamedTuple):
    """The clients that `read_state` asks."""

    api: ReceiverApi
    scraper: StatusPort
    receiver: StatusPort
    others: Sequence[StatusPort] = ()

    async def aclose(self) -> None:
        """Close every connection."""
        for other in self.others:
            await other.aclose()
        await self.api.aclose()
        await self.scraper.aclose()
        await self.receiver.aclose()


async def read_state(sources: Sources) -> SystemState:
    """The state now. The values of a service that does not answer are unknown, and the problems name the service."""
    problems: list[str] = []
    power = await _ask(sources.api.read_power(), problems)
    meters = await _ask(sources.api.read_meters(), problems)
    inverters = await _ask(sources.api.read_inverters(), problems)
    scraper = await _ask(sources.scraper.read_metrics(), problems)
    receiver = await _ask(sources.receiver.read_metrics(), problems)
    others = [(other.name, other) for other in sources.others]
    for name, port in (("scraper", sources.scraper), ("receiver", sources.receiver), *others):
        sentence = await _ask(port.read_problem(), problems)
        if sentence:
            problems.append(f"{name}: {sentence}")
    return combine(
        power or UNKNOWN_POWER,
        meters or [],
        inverters or [],
        scraper or {},
        receiver or {},
        list(dict.fromkeys(problems)),
    )


def combine(
    power: HouseholdPower,
    meters: Sequence[MeterEntry],
    inverters: Sequence[InverterEntry],
    scraper: Mapping[str, float],
    receiver: Mapping[str, float],
    problems: Sequence[str],
) -> SystemState:
    """The state that these answers describe. Pure.

    Args:
        power: From the receiver.
        meters: From the receiver.
        inverters: From the receiver.
        scraper: Metrics of the scraper.
        receiver: Metrics of the receiver.
        problems: What is not well.
    """
    ages = [entry["age_seconds"] for entry in (*meters, *inverters)]
    return SystemState(
        power=power,
        meters=meters,
        reporting=sum(one["speaks"] for one in inverters),
        inverters=max(len(inverters), round(scraper.get("envoy_inverters_known", 0.0))),
        age_s=min((age for age in ages if age is not None), default=None),
        streamed=_round(scraper.get("envoy_stream_events_total")) if scraper.get("envoy_stream_connected") else None,
        outbox_rows=_round(scraper.get("envoy_outbox_rows")),
        stored=_round(receiver.get("receiver_readings_stored_total")),
        problems=problems,
    )


async def _ask(question: Awaitable[_T], problems: list[str]) -> _T | None:
    try:
        return await question
    except NotReadyError as error:
        problems.append(str(error))
        return None


def _round(value: float | None) -> int | None:
    return None if value is None else round(value)

"""One moment of the whole chain, as the view shows it. `gather` asks the receiver and the status ports."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from receiver.energy.site import SitePower, site_power
from shared.fields import MAX_GAP_MS
from standalone.api import InverterNow, MeterNow, ReceiverApi, StatusPort
from standalone.errors import NotReadyError

_T = TypeVar("_T")

_FRESH_S = MAX_GAP_MS / 1000
_USUAL_INTERVAL_S = 900.0
_HEARD_INTERVALS = 2.0


class SystemState(NamedTuple):
    """What is known now; None is unknown.

    Attributes:
        meters: Every phase of every meter, in the order of the receiver.
        site: Site quantities from the meters that are fresh, in W.
        heard: Inverters that reported within two of their intervals.
        inverters: Inverters that the gateway lists.
        age_s: Age of the newest meter or inverter value. Values that stay within their dead-bands are not sent.
        streamed: Events of the meter stream that the scraper has read; None while there is no stream.
        outbox_rows: Readings that wait in the scraper.
        stored: Readings that the receiver has stored since it started.
        problems: What is not well, one sentence each.
    """

    meters: Sequence[MeterNow]
    site: SitePower
    heard: int
    inverters: int
    age_s: float | None
    streamed: int | None
    outbox_rows: int | None
    stored: int | None
    problems: Sequence[str]


class Sources(NamedTuple):
    """Where a picture comes from."""

    reader: ReceiverApi
    scraper: StatusPort
    receiver: StatusPort

    async def aclose(self) -> None:
        """Close every connection."""
        await self.reader.aclose()
        await self.scraper.aclose()
        await self.receiver.aclose()


async def gather(sources: Sources) -> SystemState:
    """The picture now. What does not answer is unknown, and is named among the problems."""
    problems: list[str] = []
    meters = await _ask(sources.reader.meters(), problems)
    inverters = await _ask(sources.reader.inverters(), problems)
    scraper = await _ask(sources.scraper.metrics(), problems)
    receiver = await _ask(sources.receiver.metrics(), problems)
    for name, port in (("scraper", sources.scraper), ("receiver", sources.receiver)):
        sentence = await _ask(port.problem(), problems)
        if sentence:
            problems.append(f"{name}: {sentence}")
    return draw(meters or [], inverters or [], scraper or {}, receiver or {}, list(dict.fromkeys(problems)))


def draw(
    meters: Sequence[MeterNow],
    inverters: Sequence[InverterNow],
    scraper: Mapping[str, float],
    receiver: Mapping[str, float],
    problems: Sequence[str],
) -> SystemState:
    """The picture from what was answered. Pure.

    Args:
        meters: From the receiver.
        inverters: From the receiver.
        scraper: Metrics of the scraper.
        receiver: Metrics of the receiver.
        problems: What is not well.
    """
    heard = [one for one in inverters if one.age_s <= _HEARD_INTERVALS * (one.interval_s or _USUAL_INTERVAL_S)]
    powers = {(one.meter, one.phase): one.power for one in meters if one.power is not None and one.age_s <= _FRESH_S}
    total = sum(one.power for one in heard if one.power is not None) if heard else None
    ages = [*(one.age_s for one in meters), *(one.age_s for one in inverters)]
    return SystemState(
        meters=meters,
        site=site_power(powers, inverters=total),
        heard=len(heard),
        inverters=max(len(inverters), round(scraper.get("envoy_inverters_known", 0.0))),
        age_s=min(ages, default=None),
        streamed=_whole(scraper.get("envoy_stream_events_total")) if scraper.get("envoy_stream_connected") else None,
        outbox_rows=_whole(scraper.get("envoy_outbox_rows")),
        stored=_whole(receiver.get("receiver_readings_stored_total")),
        problems=problems,
    )


async def _ask(question: Awaitable[_T], problems: list[str]) -> _T | None:
    try:
        return await question
    except NotReadyError as error:
        problems.append(str(error))
        return None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)

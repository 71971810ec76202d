"""Days that are older than the intervals which the cloud keeps: their energy, with one call for all of them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo

from scraper.cloud.parse.energy_lifetime import parse_energy_lifetime
from scraper.cloud.questions import Asker
from scraper.cloud.readers import IntervalReader
from scraper.cloud.rules.pauses import find_day


async def read_days(
    api: Asker,
    system_id: int,
    readers: Sequence[IntervalReader],
    days: tuple[date, date],
    zone: tzinfo,
    *,
    before_s: int,
    again: bool,
) -> int:
    """Read the days of a wish that end before the oldest interval. Returns how many readings were committed.

    Args:
        api: Asked, unless there is no such day.
        system_id: Which system.
        readers: Of the types that are wanted.
        days: First and last.
        zone: Of the system.
        before_s: From then on there are intervals (epoch seconds).
        again: Whether days that were read before are read again, under a new revision.

    Raises:
        CloudError, PersonNeededError, BadReplyError: As `ask_window`.
        OutboxUnavailableError: It could not be committed.
    """
    wanted = [day for day in _list_days(days) if find_day(day, zone)[1] <= before_s]
    left = {reader: [day for day in wanted if again or not reader.has_read(find_day(day, zone))] for reader in readers}
    if not any(left.values()):
        return 0
    parameters = {"start_date": wanted[0].isoformat(), "end_date": wanted[-1].isoformat(), "production": "all"}
    found = parse_energy_lifetime(await api.fetch(f"systems/{system_id}/energy_lifetime", parameters))
    energies: Mapping[str, Mapping[date, float]] = {"inv": found.micros, "met": found.meters}
    reported_s = found.meta.last_energy_s or before_s  # zeros after that are not reported yet
    count = 0
    for reader, own in left.items():
        known = [(find_day(day, zone), energies[reader.name][day]) for day in own if day in energies[reader.name]]
        count += await reader.keep_days([one for one in known if one[0][1] <= reported_s], again=again)
    return count


def _list_days(days: tuple[date, date]) -> Iterator[date]:
    first, last = days
    return (first + timedelta(days=number) for number in range((last - first).days + 1))

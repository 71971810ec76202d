"""`envoy-scraper cloud import`: the past of a system, read on demand."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from scraper import settings
from scraper.cloud.errors import CloudQuotaError
from scraper.cloud.history import HistoryImport
from scraper.cloud.parse.systems import parse_system
from scraper.cloud.past_days import read_days
from scraper.cloud.readers import IntervalReader
from scraper.cloud.rules.pauses import find_day
from scraper.errors import OutboxInUseError, WrongUseError
from scraper.service.cloud_source import CloudSource, open_source
from scraper.service.startup import open_outbox
from scraper.settings import ScraperSettings
from shared import logs
from shared.clock import Clock, SystemClock


def register(commands: typer.Typer) -> None:
    """Add the command to those of `cloud`."""
    commands.command("import")(read_past)


def read_past(
    start: Annotated[str, typer.Option("--from", help="First local day, e.g. 2026-01-01.")],
    end: Annotated[str, typer.Option("--to", help="Last local day.")],
    types: Annotated[str, typer.Option(help="inv, met, or both with a comma between them.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also what was read before; it gets a new revision, which readers prefer.")
    ] = False,
    calls: Annotated[
        int | None, typer.Option(min=1, help="Make at most so many calls; by default half of what the month has left.")
    ] = None,
) -> None:
    """Read days of the past, from the oldest on. Stop the scraper first; the same command goes on after an end."""
    loaded = settings.load()
    logs.configure(level="WARNING")
    days = _read_day(start, "--from"), _read_day(end, "--to")
    if days[0] > days[1]:
        raise WrongUseError("--from lies after --to")
    clock = SystemClock()
    if days[0] > datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date() + timedelta(days=1):
        raise WrongUseError("--from lies in the future")
    asyncio.run(_read_past(loaded, days, types, again=again, calls=calls, clock=clock))


async def _read_past(
    loaded: ScraperSettings, days: tuple[date, date], types: str, *, again: bool, calls: int | None, clock: Clock
) -> None:
    try:
        async with open_outbox(loaded, clock, asyncio.Event()) as outbox:
            assert outbox is not None  # noqa: S101 (only a stop ends it otherwise, and nobody stops it)
            source = await open_source(loaded, clock, outbox)
            try:
                readers = _choose_readers(source.readers, types)
                zone = await _find_zone(source)
                wish = find_day(days[0], zone)[0], find_day(days[1], zone)[1]
                history = HistoryImport(source.kept, readers, clock, wish, again=again)
                await read_old_days(source, readers, days, zone, history.earliest_s, again=again)
                await read_history(source, history, calls)
            finally:
                await source.parts.api.aclose()
    except OutboxInUseError as error:
        raise OutboxInUseError("the scraper is running: stop it, import, and start it again") from error


async def read_old_days(
    source: CloudSource,
    readers: Sequence[IntervalReader],
    days: tuple[date, date],
    zone: tzinfo,
    before_s: int,
    *,
    again: bool,
) -> None:
    """Read the days that are too old for intervals, with one call at most, and say so."""
    count = await read_days(source.parts.api, source.system_id, readers, days, zone, before_s=before_s, again=again)
    if count:
        first = datetime.fromtimestamp(before_s, zone).date()
        typer.echo(f"Before {first} the cloud has days only: {count} of them were read with one call.")


async def read_history(source: CloudSource, history: HistoryImport, calls: int | None) -> None:
    """Say what it costs, read, and say how far it came."""
    needed, left = history.count_most_calls(), source.parts.budget.read_view().left
    most = min(left // 2, needed) if calls is None else min(calls, needed)
    typer.echo(f"{_count_calls(history)} are needed; {left} are left this month, and at most {most} are made now.")
    committed = 0
    try:
        async for step in history.run(most):
            committed += step.committed
            until = datetime.fromtimestamp(step.until_s, UTC)
            typer.echo(f"{step.name} until {until:%Y-%m-%d %H:%M} UTC: {step.committed} intervals")
    except CloudQuotaError as error:
        typer.echo(str(error))
    typer.echo(f"{committed} intervals came; what waits for the receiver is delivered when the scraper runs.")
    if history.count_most_calls():
        typer.echo(
            f"{_count_calls(history)} are left to make: run the same command again, next month if this one is used up."
        )


def _count_calls(history: HistoryImport) -> str:
    """How many are left: fewer will do where the system is younger than what is wanted."""
    least, most = history.count_calls(), history.count_most_calls()
    if least == most:
        return f"Up to {most} calls" if most else "0 calls"
    return f"Up to {most} calls ({least} if the cloud gives a week in one)"


def _choose_readers(readers: Sequence[IntervalReader], types: str) -> list[IntervalReader]:
    names = [name.strip() for name in types.split(",") if name.strip()]
    known = {reader.name: reader for reader in readers}
    if unknown := [name for name in names if name not in known]:
        raise WrongUseError(f"--types: {unknown[0]!r} is not read by this scraper; it reads {', '.join(known)}")
    return [known[name] for name in names] or list(readers)


async def _find_zone(source: CloudSource) -> tzinfo:
    """The system's time zone, which costs a call where it is not known yet."""
    if not source.kept.state.time_zone:
        system = parse_system(await source.parts.api.fetch(f"systems/{source.system_id}"))
        await source.kept.keep(time_zone=system.time_zone)
    try:
        return ZoneInfo(source.kept.state.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _read_day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUseError(f"{option} must be a day such as 2026-01-31") from None

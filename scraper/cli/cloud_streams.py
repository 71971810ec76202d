"""`envoy-scraper cloud streams`: read a stream as SolarNetwork configures it."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scraper import settings
from scraper.cloud.browse import describe_system, list_systems, list_values
from scraper.errors import WrongUseError
from scraper.service.app import run
from scraper.service.cloud_parts import make_cloud_parts
from scraper.service.cloud_source import find_system
from scraper.service.cloud_stream import load_stream, make_stream_job
from scraper.settings import ScraperSettings
from shared import logs
from shared.clock import SystemClock


def register(commands: typer.Typer) -> None:
    """Add the command to those of `cloud`."""
    commands.command("streams")(read_streams)


def read_streams(
    config: Annotated[Path | None, typer.Option(help="The stream, as SolarNetwork's JSON.")] = None,
    compatible: Annotated[
        bool, typer.Option("--compatible", help="The laggard of all devices holds back everything, as in SolarNetwork.")
    ] = False,
    browse: Annotated[
        bool, typer.Option("--browse", help="Show systems and the references of their values instead; 2 calls or more.")
    ] = False,
) -> None:
    """Read the values of a stream and deliver them as kind `datum`, in the place of `run`, until stopped."""
    loaded = settings.load()
    if browse:
        typer.echo(msgspec.json.format(msgspec.json.encode(asyncio.run(_browse(loaded))), indent=1).decode())
        return
    if config is None:
        raise WrongUseError("say where the stream is configured: --config FILE; or --browse to see what there is")
    job = make_stream_job(load_stream(config, find_system(loaded.cloud)), compatible=compatible)
    logs.configure(level=loaded.log_level)
    asyncio.run(run(msgspec.structs.replace(loaded, source="cloud"), job=job))


async def _browse(loaded: ScraperSettings) -> dict[str, object]:
    parts = make_cloud_parts(loaded, SystemClock())
    try:
        systems = await list_systems(parts.api)
        found: dict[str, object] = {"systems": [describe_system(one) for one in systems]}
        if loaded.cloud.system is not None:
            name = f"devices of {loaded.cloud.system}"
            found[name] = await list_values(parts.api, loaded.cloud.system)
        return found
    finally:
        await parts.api.aclose()

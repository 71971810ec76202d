"""`envoy-receiver setup`: InfluxDB made ready."""

import asyncio

import typer

from receiver import settings
from receiver.cli.console import faults_as_sentences
from receiver.settings import Settings
from shared.clock import SystemClock


def setup() -> None:
    """Make InfluxDB's buckets, their expiry and two tokens. May be run again at any time; mends what is lost."""
    with faults_as_sentences():
        chosen = settings.load()
        if chosen.influxdb is None:
            typer.echo(
                f"nothing to set up: the receiver stores in {chosen.sqlite_path} (RECEIVER_STORE is not influxdb)"
            )
            return
        asyncio.run(_set_up(chosen))


async def _set_up(chosen: Settings) -> None:
    # Imported here, as everything that only InfluxDB needs.
    from receiver.setup import set_up  # noqa: PLC0415

    if chosen.influxdb is not None:
        async for sentence in set_up(chosen.influxdb, chosen.meter_days, SystemClock()):
            typer.echo(sentence)

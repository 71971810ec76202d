"""`dashboards`: the demo over an InfluxDB, for people who work on Grafana's dashboards.

Its house has a battery, and a sites file with names, arrays, tariffs and a time zone, so that no panel of a dashboard
is without data. Grafana is not started: whoever works on dashboards points one of their own at this database.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shared.clock import Clock
from shared.files import write_private
from standalone.demo import family_in, household, live, start_simulator
from standalone.influxdb import BUCKET, GRAFANA_TOKEN, LIVE_BUCKET, ORG, InfluxChoice, Running, start_influxdb
from standalone.processes import ProcessGroup
from standalone.site import sites_file
from standalone.stack import LocalInstallation

PROFILE = "battery"


async def dashboards(
    directory: Path, database: InfluxChoice, days: float, clock: Clock, families: list[ProcessGroup]
) -> None:
    """Run until cancelled.

    Args:
        directory: For everything that is written; emptied first if it holds an earlier run.
        database: Which InfluxDB to start.
        days: How much history there is.
        clock: Time.
        families: The family of processes is put here as soon as there is one, for whoever has to hurry.

    Raises:
        StandaloneError: It cannot go on; says why.
    """
    async with family_in(directory, families) as family:
        running = await start_influxdb(family, directory / "influxdb", database, clock)
        simulation = await start_simulator(family, directory, PROFILE, clock)
        sites = directory / "sites.yaml"
        write_private(sites, sites_file(simulation.past, clock.now_ms() / 1000).encode())
        title = f"envoy-relay dashboards: simulated gateway {simulation.gateway.serial}"
        plain = household(directory, simulation.gateway, title)
        await live(family, _over(plain, running, sites), simulation.past, days, clock)


def _over(plain: LocalInstallation, running: Running, sites: Path) -> LocalInstallation:
    """The same household, stored in the database."""
    return replace(
        plain,
        environment={**plain.environment, **running.settings, "RECEIVER_SITES_FILE": str(sites)},
        data=f"InfluxDB at {running.url}, organisation {ORG}, buckets {BUCKET} and {LIVE_BUCKET}",
        places=_places(running),
    )


def _places(running: Running) -> Mapping[str, str]:
    return {
        "token for Grafana": str(running.tokens / GRAFANA_TOKEN),
        "password of InfluxDB's user admin": str(running.password_file),
        "how to start a Grafana on it": "docs/grafana.md, Working on the dashboards",
    }

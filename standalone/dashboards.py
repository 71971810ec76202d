"""`dashboards`: the demo over an InfluxDB, for people who work on Grafana's dashboards.

Grafana is not started: people who work on dashboards point a Grafana of their own at this database.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from receiver.settings.stores import GRAFANA_TOKEN
from shared.clock import Clock
from standalone.demo import PROFILE, describe_site, open_group, plan_installation, run_chain, start_simulator
from standalone.influxdb import BUCKET, LIVE_BUCKET, ORG, InfluxChoice, InfluxServer, start_influxdb
from standalone.processes import ProcessGroup
from standalone.stack import LocalInstallation


async def run_dashboards(
    directory: Path, database: InfluxChoice, days: float, clock: Clock, groups: list[ProcessGroup]
) -> None:
    """Run until cancelled.

    Args:
        directory: For everything that is written; emptied first if it holds an earlier run.
        database: Which InfluxDB to start.
        days: How much history there is.
        clock: Time.
        groups: The group of processes is appended as soon as it exists, so that the caller can kill it.

    Raises:
        StandaloneError: It cannot go on; says why.
    """
    async with open_group(directory, groups) as group:
        running = await start_influxdb(group, directory / "influxdb", database, clock)
        simulation = await start_simulator(group, directory, PROFILE, clock)
        title = f"envoy-relay dashboards: simulated gateway {simulation.gateway.serial}"
        plain = plan_installation(directory, simulation.gateway, title)
        described = describe_site(plain, directory, simulation.past, clock)
        await run_chain(group, _store_in_influxdb(described, running), simulation.past, days, clock)


def _store_in_influxdb(plain: LocalInstallation, running: InfluxServer) -> LocalInstallation:
    """The same installation, stored in the database."""
    return replace(
        plain,
        environment={**plain.environment, **running.settings},
        data=f"InfluxDB at {running.url}, organisation {ORG}, buckets {BUCKET} and {LIVE_BUCKET}",
        notes=_describe_access(running),
    )


def _describe_access(running: InfluxServer) -> Mapping[str, str]:
    return {
        "token for Grafana": str(running.tokens / GRAFANA_TOKEN),
        "password of InfluxDB's user admin": str(running.password_file),
        "how to start a Grafana on it": "docs/grafana.md, Working on the dashboards",
    }

"""`demo`: a simulated gateway in a house with a battery where it is always late morning, with days of history."""

import functools
import os
import secrets
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from scraper.outbox import Outbox
from scraper.service.startup import OUTBOX_FILE
from shared.clock import Clock
from shared.files import make_private_directory, write_private
from shared.units import DAY_S
from simulator.house import PROFILES as HOUSES
from simulator.house import find_late_morning_offset
from simulator.profiles import PROFILES as GATEWAYS
from standalone.demo_cloud import AnnouncedCloud, plan_cloud, start_cloud_scraper
from standalone.directories import DemoDirectory, find_free_port
from standalone.history import HouseSettings
from standalone.loader import LoadJob
from standalone.local import remember_choice
from standalone.processes import Child, ProcessGroup
from standalone.site import make_sites_file
from standalone.stack import LocalInstallation, start_receiver, start_scraper, watch

PROFILE = "battery"
SEED = 7
_ROLE = "installer"
"""The only role whose token reads the meter stream."""
_START_S = 120.0
_SETTINGS = ("ENVOY_", "RECEIVER_", "INFLUXDB_", "INFLUXD_", "SIMULATOR_")


class AnnouncedGateway(msgspec.Struct):
    """The fields of the announcement of the simulator that are used here."""

    serial: str
    host: str
    http_port: int
    https_port: int
    token: str
    house_offset_s: int
    cloud: AnnouncedCloud


@dataclass(frozen=True)
class Simulation:
    """A running simulator: its gateway, and the settings of its house, from which the past is computed."""

    gateway: AnnouncedGateway
    past: HouseSettings


async def run_demo(
    directory: Path, days: float, clock: Clock, groups: list[ProcessGroup], *, cloud: bool = False
) -> None:
    """Run until cancelled.

    Args:
        directory: For everything that is written; emptied first if it holds an earlier demo.
        days: How much history there is.
        clock: Time.
        groups: The group of processes is appended as soon as it exists, so that the caller can kill it.
        cloud: Whether a second scraper reads the same house from the simulated cloud.

    Raises:
        StandaloneError: It cannot go on; says why.
    """
    async with open_group(directory, groups) as group:
        simulation = await start_simulator(group, directory, PROFILE, clock)
        title = f"envoy-relay demo: simulated gateway {simulation.gateway.serial}"
        plain = plan_installation(directory, simulation.gateway, title)
        installation = describe_site(plain, directory, simulation.past, clock)
        beside = None
        if cloud:
            announced = simulation.gateway.cloud
            installation, own = plan_cloud(installation, announced, make_private(directory / "scraper-cloud"))
            beside = functools.partial(start_cloud_scraper, group, announced, own, clock)
        await run_chain(group, installation, simulation.past, days, clock, beside=beside)


@asynccontextmanager
async def open_group(directory: Path, groups: list[ProcessGroup]) -> AsyncIterator[ProcessGroup]:
    """A group of processes with a directory of its own; the end of the context stops it. Raises StandaloneError."""
    demo_directory = DemoDirectory(directory)
    demo_directory.take()
    group = ProcessGroup(make_private(directory / "logs"), directory, drop_our_settings(os.environ))
    groups.append(group)
    try:
        yield group
    finally:
        await group.stop()
        demo_directory.release()


async def run_chain(
    group: ProcessGroup,
    installation: LocalInstallation,
    past: HouseSettings,
    days: float,
    clock: Clock,
    *,
    beside: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Receiver, history and scraper, what starts beside them, and the view until cancelled. Raises StandaloneError."""
    remember_choice(installation.environment)
    token = await start_receiver(group, installation, clock)
    loader = await load_past(group, installation, past, days, clock) if days > 0 else None
    await start_scraper(group, installation)
    if beside is not None:
        await beside()
    await watch(group, installation, token, clock, loader=loader, past_hours=round(days * 24))


def drop_our_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings of ours: a demo must never reach for a real gateway or store."""
    return {name: value for name, value in environment.items() if not name.startswith(_SETTINGS)}


def _find_counters_start(profile: str, clock: Clock) -> int:
    """The start of the counters (epoch seconds at the house): about now, as counting from an early start takes time."""
    now = clock.now_ms() / 1000
    house = HOUSES[GATEWAYS[profile].house]
    return int(now + find_late_morning_offset(house, now, SEED)) // 60 * 60


async def start_simulator(group: ProcessGroup, directory: Path, profile: str, clock: Clock) -> Simulation:
    """Start the simulator of a house where it is always late morning. Raises StandaloneError."""
    counters_start = _find_counters_start(profile, clock)
    child = await group.start(
        "simulator", "simulator", "run", "--profile", profile, "--role", _ROLE, "--late-morning", "--seed", str(SEED),
        "--counters-start", str(counters_start), "--state-dir", str(make_private(directory / "simulator")),
        environment={},
    )  # fmt: skip
    gateway = msgspec.json.decode(await child.read_announcement(_START_S), type=AnnouncedGateway)
    return Simulation(gateway, HouseSettings(profile, SEED, float(counters_start), gateway.house_offset_s))


def plan_installation(directory: Path, gateway: AnnouncedGateway, title: str) -> LocalInstallation:
    """Settings for a scraper of the simulated gateway and a receiver with the embedded store."""
    port, receiver_status, scraper_status = find_free_port(), find_free_port(), find_free_port()
    secret, state = secrets.token_hex(32), make_private(directory / "receiver")
    url = f"http://127.0.0.1:{port}"
    return LocalInstallation(
        title=title,
        serial=gateway.serial,
        url=url,
        receiver_status_port=receiver_status,
        scraper_status_port=scraper_status,
        environment={
            "RECEIVER_STATE_DIR": str(state),
            "RECEIVER_SECRET": secret,
            "RECEIVER_GATEWAYS": gateway.serial,
            "RECEIVER_PORT": str(port),
            "RECEIVER_STATUS_PORT": str(receiver_status),
            "ENVOY_HOST": gateway.host,
            "ENVOY_HTTP_PORT": str(gateway.http_port),
            "ENVOY_HTTPS_PORT": str(gateway.https_port),
            "ENVOY_TOKEN": gateway.token,
            "ENVOY_RECEIVER_URL": url,
            "ENVOY_RECEIVER_SECRET": secret,
            "ENVOY_DEAD_BAND": "0.1",  # finer than people keep it, so that the numbers on the screen move
            "ENVOY_STATE_DIR": str(make_private(directory / "scraper")),
            "ENVOY_STATUS_PORT": str(scraper_status),
        },
        data=str(state / "readings.sqlite"),
        token_command=format_token_command({"RECEIVER_STATE_DIR": str(state)}),
        simulated=True,
    )


def describe_site(
    installation: LocalInstallation, directory: Path, past: HouseSettings, clock: Clock
) -> LocalInstallation:
    """The same installation with a sites file: names, roof, prices, and the time zone in which the house lives."""
    path = directory / "sites.yaml"
    write_private(path, make_sites_file(past, clock.now_ms() / 1000).encode())
    return replace(installation, environment={**installation.environment, "RECEIVER_SITES_FILE": str(path)})


async def load_past(
    group: ProcessGroup, installation: LocalInstallation, past: HouseSettings, days: float, clock: Clock
) -> Child:
    """Start posting the past. It ends where the scraper begins: this is called just before."""
    outbox = Outbox.open(Path(installation.environment["ENVOY_STATE_DIR"]) / OUTBOX_FILE, now_ms=clock.now_ms)
    try:
        outbox_id = outbox.id
    finally:
        outbox.close()
    now_s = clock.now_ms() // 1000
    job = LoadJob(installation.url, installation.serial, outbox_id, past, now_s - round(days * DAY_S), now_s)
    return await group.start(
        "history", "standalone.loader", msgspec.json.encode(job).decode(),
        environment=installation.environment, may_finish=True,
    )  # fmt: skip


def format_token_command(environment: Mapping[str, str]) -> str:
    """The shell command that prints a link to the page."""
    script = Path(sys.executable).with_name("envoy-receiver")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "receiver"]
    settings = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    return " ".join([*settings, shlex.join([*command, "token", "create", "--link"])])


def make_private(path: Path) -> Path:
    """The directory, made if need be, for its owner alone."""
    make_private_directory(path)
    return path

"""`python -m standalone`: the commands that run everything on one machine."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.clock import SystemClock
from shared.environment import UnreadableSettingError, read_environment
from standalone.dashboards import run_dashboards
from standalone.demo import run_demo
from standalone.errors import StandaloneError
from standalone.influxdb import InfluxChoice, find_influxd
from standalone.processes import ProcessGroup
from standalone.run import run as run_real
from standalone.units import install_units, remove_units

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Everything on one machine."
)
_STATE = Path("state")


@app.command()
def demo(
    state: Annotated[Path, typer.Option(help="Directory for everything that is written.")] = _STATE / "demo",
    days: Annotated[float, typer.Option(min=0, max=30, help="Days of history.")] = 7.0,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Read the same house from the simulated cloud, too, as a second gateway.")
    ] = False,
) -> None:
    """A simulated gateway, the scraper and the receiver, with a live view. Needs no settings."""
    sys.exit(_run_until_stopped(lambda groups: run_demo(state.absolute(), days, SystemClock(), groups, cloud=cloud)))


@app.command()
def dashboards(
    state: Annotated[Path, typer.Option(help="Directory for everything that is written.")] = _STATE / "dashboards",
    days: Annotated[float, typer.Option(min=0, max=30, help="Days of history.")] = 7.0,
    influxdb_port: Annotated[int, typer.Option(min=0, max=65535, help="Of InfluxDB; 0: any free one.")] = 8086,
) -> None:
    """As demo, with a house that has a battery, and stored in an InfluxDB of its own for a Grafana of yours.

    INFLUXD names the influxd 2.7 to start; else the one on the PATH is taken.
    """

    def start(groups: list[ProcessGroup]) -> Coroutine[Any, Any, None]:
        return run_dashboards(
            state.absolute(), InfluxChoice(find_influxd(os.environ), influxdb_port), days, SystemClock(), groups
        )

    sys.exit(_run_until_stopped(start))


@app.command()
def run(
    state: Annotated[
        Path | None, typer.Option(help="Directory for state; without it, where all commands look by themselves.")
    ] = None,
    lan: Annotated[
        bool, typer.Option("--lan", help="Open the page to the network of this machine, e.g. for a phone.")
    ] = False,
    also: Annotated[
        list[Path] | None, typer.Option(help="Settings of one more gateway, e.g. .env.garage; may be repeated.")
    ] = None,
) -> None:
    """The scraper and the receiver for your gateway, with a live view. Settings are read from .env."""
    chosen = None if state is None else state.absolute()
    sys.exit(_run_until_stopped(lambda groups: run_real(chosen, SystemClock(), groups, lan=lan, also=also or ())))


@app.command()
def service(
    remove: Annotated[bool, typer.Option("--remove", help="Stop the services and take them away.")] = False,
    also: Annotated[
        list[Path] | None, typer.Option(help="Settings of one more gateway, e.g. .env.garage; may be repeated.")
    ] = None,
) -> None:
    """Keep what `run` started running after a reboot, by the user's own systemd."""
    try:
        environment = {**os.environ, **read_environment()}
        done = (
            remove_units(environment)
            if remove
            else install_units(Path.cwd(), Path(sys.executable).parent, environment, also or ())
        )
    except (StandaloneError, UnreadableSettingError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print("\n".join(done))


def _run_until_stopped(start: Callable[[list[ProcessGroup]], Coroutine[Any, Any, None]]) -> int:
    """Run a command to its end, by itself or by a signal; returns the exit status."""
    os.umask(0o077)  # whatever it and its processes write is private
    try:
        asyncio.run(_run(start))
    except StandaloneError as error:
        print(error, file=sys.stderr)
        return 1
    print("stopped; the data stays where it is")
    return 0


async def _run(start: Callable[[list[ProcessGroup]], Coroutine[Any, Any, None]]) -> None:
    groups: list[ProcessGroup] = []
    command = asyncio.create_task(start(groups))
    stopping = False

    def stop() -> None:
        """The first signal stops everything in order, a second one kills the processes."""
        nonlocal stopping
        if not stopping:
            stopping = True
            command.cancel()
        else:
            for group in groups:
                group.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await command


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

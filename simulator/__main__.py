"""`envoy-simulator`: a pretend gateway on this machine, until it is stopped."""

import asyncio
import contextlib
import json
import signal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from simulator.clock import SimClock
from simulator.faults import KINDS, UnknownFaultError
from simulator.profiles import PROFILES, find_profile
from simulator.server import Simulator
from simulator.units import HOUR_S

app = typer.Typer(
    help="A pretend Enphase gateway, with its house, its cloud and its faults.",
    no_args_is_help=True,
    add_completion=False,
)

# A simulator may run for months: the file has everything, the memory the last hours.
_LEDGER_KEEP = 20_000
# Far below the twelve hours of an installer's token.
_TOKEN_EVERY_S = float(HOUR_S)
_PROFILES = ", ".join(f"{profile.name} ({profile.what})" for profile in PROFILES.values())


@app.command()
def faults() -> None:
    """List the faults that `run --fault` and the control port know."""
    for name, kind in KINDS.items():
        parameters = " ".join(f"{key}={json.dumps(value)}" for key, value in kind.defaults.items())
        typer.echo(f"{name:24} {kind.what}{f'  [{parameters}]' if parameters else ''}")


@app.command()
def run(
    profile: Annotated[str, typer.Option(help=f"Which gateway: {_PROFILES}.")] = "firmware-8",
    house: Annotated[str | None, typer.Option(help="three-phase, split-phase, single-phase or battery.")] = None,
    role: Annotated[
        Literal["owner", "installer"], typer.Option(help="Whose token stands in `token` of the first line.")
    ] = "owner",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(help="0: any free port.")] = 0,
    https_port: Annotated[int, typer.Option(help="0: any free port.")] = 0,
    control_port: Annotated[int, typer.Option(help="Loopback port for faults and ledger. 0: any free port.")] = 0,
    state_dir: Annotated[
        Path | None, typer.Option(help="Keeps certificate, keys and counters: a restart is the same gateway.")
    ] = None,
    speed: Annotated[float, typer.Option(help="Simulated seconds per second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another number is other weather and another household.")] = 1,
    late_morning: Annotated[
        bool, typer.Option("--late-morning", help="Shift the sun so that it is late morning now.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="Keep a token of that role in this file, and renew it before it expires.")
    ] = None,
    counters_start: Annotated[
        float | None, typer.Option(help="House time (epoch seconds) at which the lifetime counters begin.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Append everything sent to this file of JSON lines.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help='A fault from the start on: NAME or NAME:{"parameter": value}.')
    ] = None,
    installer_password: Annotated[
        str | None,
        typer.Option(envvar="SIMULATOR_INSTALLER_PASSWORD", help="Instead of the derived one (before firmware 7)."),
    ] = None,
) -> None:
    """Run until stopped. Prints one line of JSON with ports, tokens and fingerprint when ready."""
    try:
        chosen = find_profile(profile, house)
        simulator = Simulator(
            chosen,
            seed=seed,
            clock=SimClock(speed),
            late_morning=late_morning,
            counters_start=counters_start,
            host=host,
            http_port=http_port,
            https_port=https_port,
            control_port=control_port,
            state_dir=state_dir,
            ledger_file=ledger,
            ledger_keep=_LEDGER_KEEP,
            installer_password=installer_password,
        )
        simulator.device.read_counters()  # the house says here, before anything listens, if their start is too far away
        for text in fault or ():
            name, _, parameters = text.partition(":")
            simulator.faults.switch_on(name, **_parse_parameters(parameters))
    except UnknownFaultError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from error
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except OSError as error:
        typer.echo(f"The simulator cannot start: {error}. Choose another port or folder.", err=True)
        raise typer.Exit(1) from error
    asyncio.run(_serve(simulator, role, token_file))


def _parse_parameters(text: str) -> dict[str, Any]:
    if not text:
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise typer.BadParameter(f"a fault's parameters are a JSON object, not {text}", param_hint="--fault")
    return value


async def _serve(simulator: Simulator, role: str, token_file: Path | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # there are no signals on a loop of Windows
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with simulator:
        description = simulator.describe()
        keeping = None
        if token_file is not None:
            _keep(token_file, description["tokens"][role])
            keeping = asyncio.create_task(_renew(simulator, role, token_file))
        print(json.dumps(description | {"role": role, "token": description["tokens"][role]}), flush=True)
        await stop.wait()
        if keeping is not None:
            keeping.cancel()


async def _renew(simulator: Simulator, role: str, path: Path) -> None:
    while True:
        await asyncio.sleep(_TOKEN_EVERY_S)
        _keep(path, simulator.make_token(role))


def _keep(path: Path, token: str) -> None:
    """Replace the file as a whole: a reader never meets half a token."""
    new = path.with_name(f".{path.name}")
    new.unlink(missing_ok=True)
    new.touch(0o600)
    new.write_text(token)
    new.replace(path)


def main() -> None:
    """Entry point of `envoy-simulator`."""
    app()


if __name__ == "__main__":
    main()

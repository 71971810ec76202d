"""Commands about the gateway and its secrets: `password`, `token`, `trust`, `key`, `read`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from scraper import settings
from scraper.cli.raw import read_paths
from scraper.errors import EndpointUnavailableError, ScraperSettingError, WrongUseError
from scraper.gateway.identify import Identifier
from scraper.gateway.password import derive_installer_password
from scraper.gateway.pinning import PinStore
from scraper.gateway.probe import Probe
from scraper.gateway.session import GatewaySession
from scraper.gateway.tokens import TokenCache, explain_refusal, parse_token
from scraper.gateway.transport import Address
from scraper.gateway.trust import accept, propose
from scraper.service.build import make_gateway_options
from scraper.service.cloud_source import name_system
from scraper.settings import ScraperSettings
from scraper.uplink.edge_key import EdgeKey
from shared import logs
from shared.clock import SystemClock
from shared.durations import describe_expiry
from shared.keys import PublicKey
from shared.readings import Reading

T = TypeVar("T")

Serial = Annotated[str | None, typer.Argument(help="The gateway's serial; asked from the gateway if left out.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("password")(print_password)
    app.command("token")(show_token)
    app.command("trust")(trust)
    app.command("key")(make_key)
    app.command("read")(read)


def print_password(serial: Serial = None, user: str = "installer") -> None:
    """Print the local password that firmware below 7 derives from the serial."""
    typer.echo(derive_installer_password(serial or _find_serial(settings.load()), user))


def show_token(
    paste: Annotated[bool, typer.Option("--paste", help="Read a token from standard input and keep it.")] = False,
) -> None:
    """Show what is known of the gateway token, and log in with it; with --paste keep a new one first."""
    loaded = settings.load()
    if paste:
        _keep_token(loaded)

    async def log_in(gateway: GatewaySession) -> None:
        identity = await gateway.connect()
        if identity.token_expires_s is None:
            typer.echo(f"Gateway {identity.serial} (firmware {identity.firmware}) uses a password, not a token.")
        else:
            left = describe_expiry(identity.token_expires_s - SystemClock().now_ms() / 1000)
            typer.echo(f"Accepted by gateway {identity.serial}: {identity.role} rights, the token {left}.")

    _use_gateway(loaded, log_in)


def _keep_token(loaded: ScraperSettings) -> None:
    # a terminal hides what is typed; a pipe or a file is read as it is
    text = typer.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    try:
        pasted = parse_token(text)
    except ValueError as error:
        raise ScraperSettingError(f"{error}: copy the whole token from https://entrez.enphaseenergy.com") from error
    serial = loaded.gateway.serial or PinStore(loaded.state_dir).read_gateway() or _find_serial(loaded)
    now_s = SystemClock().now_ms() / 1000
    if not pasted.is_for(serial) or pasted.expires_s <= now_s:
        raise ScraperSettingError(
            f"{explain_refusal(pasted, serial, now_s)}; it was not kept: make a new one at https://entrez.enphaseenergy.com"
        )
    try:
        TokenCache(loaded.state_dir).save(serial, pasted)
    except OSError as error:
        raise ScraperSettingError(
            f"{loaded.state_dir} cannot be written ({error.strerror}): set ENVOY_STATE_DIR to a directory that this "
            "user owns"
        ) from error
    typer.echo(f"Kept: {pasted.role or 'unknown'} rights for gateway {serial}, until {pasted.describe_expiry()}.")


def trust(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Accept the gateway that answers now and the certificate that it shows, after a change."""
    logs.configure(level="ERROR")
    options = make_gateway_options(settings.load())
    found = asyncio.run(propose(options, SystemClock()))
    typer.echo(f"Now:   gateway {found.serial} at {found.host}, certificate {found.fingerprint or 'none (plain http)'}")
    typer.echo(f"So far: gateway {found.former_serial or 'none'}, certificate {found.former_fingerprint or 'none'}")
    if found.changes_nothing:
        typer.echo("Nothing to do.")
    elif yes or typer.confirm("Trust what answers now?"):
        accept(options, found)
        typer.echo("Trusted. A running scraper takes it up within seconds.")


def make_key() -> None:
    """Make this scraper's key (once) and print the line for `envoy-receiver keys add`."""
    loaded = settings.load()
    edge = EdgeKey.load_or_make(loaded.key_file)
    if loaded.source == "cloud":
        serial = name_system(loaded.cloud)
    else:
        serial = loaded.gateway.serial or PinStore(loaded.state_dir).read_gateway() or _find_serial(loaded)
    typer.echo(str(PublicKey(edge.export_public_raw(), serial)))


def read(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Paths of the gateway, e.g. /ivp/meters: their replies as they are.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON reading a line; of paths, one object with a reply for each.")
    ] = False,
    cached: Annotated[
        bool, typer.Option("--cached", help="Of paths: take what the last `read` got, if it is young enough.")
    ] = False,
    max_age: Annotated[float, typer.Option(min=0, help="How old that may be, in seconds.")] = 60,
) -> None:
    """Read the gateway once and print what it says; nothing is stored or sent."""
    if paths:
        read_paths(paths, as_json=as_json, max_age_s=max_age if cached else None)
        return
    if cached:
        raise WrongUseError("--cached needs a path, as in: envoy-scraper read /ivp/meters --cached")

    async def read_once(gateway: GatewaySession) -> list[Reading]:
        now = SystemClock().now_ms()
        readings = await gateway.read_inverters()
        try:
            values = await gateway.read_meter_readings()
        except EndpointUnavailableError:
            values = []
        for one in values:
            for kind, fields in (("meter", one.values), ("meter_energy", one.counters)):
                if fields:
                    readings.append(Reading(kind, {"meter": one.meter, "phase": one.phase}, now, {**fields}))
        production = await gateway.read_production()
        return readings if production is None else [*readings, production]

    for reading in _use_gateway(settings.load(), read_once):
        if as_json:
            typer.echo(msgspec.json.encode(reading).decode())
        else:
            tags = " ".join(reading.tags.values())
            fields = "  ".join(
                f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                for name, value in reading.fields.items()
            )
            typer.echo(f"{reading.kind} {tags}  {fields}")


def _find_serial(loaded: ScraperSettings) -> str:
    return loaded.gateway.serial or _look(loaded)[1].info.serial


def _look(loaded: ScraperSettings) -> tuple[Address, Probe]:
    """Who answers, without logging in."""
    logs.configure(level="ERROR")
    options = make_gateway_options(loaded)
    identifier = Identifier(options, PinStore(Path(loaded.state_dir)), SystemClock(), asyncio.Lock())
    return asyncio.run(identifier.look(options.serial))


def _use_gateway(loaded: ScraperSettings, use: Callable[[GatewaySession], Coroutine[Any, Any, T]]) -> T:
    logs.configure(level="ERROR")

    async def run() -> T:
        gateway = GatewaySession(make_gateway_options(loaded), SystemClock())
        try:
            return await use(gateway)
        finally:
            await gateway.aclose()

    return asyncio.run(run())

"""`envoy-scraper cloud`: the owner's approval, and the systems that it opens."""

import asyncio
import secrets
import sys
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from scraper import settings
from scraper.cloud.browse import describe_system, list_systems
from scraper.cloud.grant import GrantFile, OwnerGrant
from scraper.cloud.loopback import open_redirect_server
from scraper.cloud.oauth import hold_lock_beside
from scraper.cloud.parse.systems import CloudSystem
from scraper.cloud.rules.approval import REDIRECT_PATH, make_address, read_code
from scraper.cloud.token_endpoint import GrantRefusedError
from scraper.errors import ScraperError, ScraperSettingError, WrongUseError
from scraper.service.cloud_parts import CloudParts, make_cloud_parts, read_keys
from scraper.settings import ScraperSettings
from shared import logs
from shared.clock import SystemClock
from shared.durations import describe_duration

commands = typer.Typer(
    help="A system read through Enphase's API instead of a gateway (docs/cloud.md). Begin with `authorise`.",
    no_args_is_help=True,
)
_WAIT_S = 600.0
"""How long the browser may take; codes live about as long."""


@commands.command()
def authorise(
    listen: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The browser is on this machine: it is sent back to this port. 0: any."),
    ] = None,
    redirect: Annotated[
        str | None, typer.Option(help="Send the browser to this address of yours instead of Enphase's page.")
    ] = None,
) -> None:
    """Let the owner approve this application in a browser, and keep the approval; one call lists the systems."""
    loaded = settings.load()
    logs.configure(level="ERROR")
    application = read_keys(loaded.cloud)
    url, state = loaded.cloud.api_url.rstrip("/"), secrets.token_urlsafe(16)
    if listen is None:
        redirect_uri = redirect or url + REDIRECT_PATH
        _print_address(make_address(url, application.client_id, redirect_uri, state))
        typer.echo("Then give the code that the page shows, or the whole address on which the browser landed:")
        landed = sys.stdin.readline()
    else:
        redirect_uri, landed = _await_browser(listen, url, application.client_id, state)
    systems = asyncio.run(_keep_approval(loaded, read_code(landed, state), redirect_uri))
    _print_systems(systems)
    if loaded.cloud.system is None:
        typer.echo("Set ENVOY_SOURCE=cloud and ENVOY_CLOUD_SYSTEM to the number of yours.")


def _await_browser(port: int, url: str, client_id: str, state: str) -> tuple[str, str]:
    """The redirect address, and the one on which the browser landed."""
    try:
        with open_redirect_server(port, state) as server:
            _print_address(make_address(url, client_id, server.redirect_uri, state))
            typer.echo("Waiting for the browser ...")
            landed = server.await_redirect(_WAIT_S)
            redirect_uri = server.redirect_uri
    except OSError as error:
        raise ScraperSettingError(f"cannot listen on port {port} ({error.strerror}): choose another, or 0") from error
    if landed is None:
        raise WrongUseError("no browser came back within ten minutes: begin again, or leave out --listen")
    return redirect_uri, landed


def _print_address(address: str) -> None:
    typer.echo(f"Open this address in a browser, sign in as the owner of the system, and approve:\n\n{address}\n")


async def _keep_approval(loaded: ScraperSettings, code: str, redirect_uri: str) -> list[CloudSystem] | str:
    """Exchange the code and keep the pair. Returns the systems, or why they could not be listed."""
    clock = SystemClock()
    parts = make_cloud_parts(loaded, clock)
    try:
        parts.budget.count_token_call()
        now_s = clock.now_ms() // 1000
        grant = await _claim(parts, loaded, code, redirect_uri, now_s)
        async with hold_lock_beside(parts.grant_file.path):
            parts.grant_file.save(grant)
        typer.echo("Approved and kept. A running scraper takes it up within a minute.")
        try:
            return await list_systems(parts.api)
        except ScraperError as error:
            return str(error)
    finally:
        await parts.api.aclose()


async def _claim(parts: CloudParts, loaded: ScraperSettings, code: str, redirect_uri: str, now_s: int) -> OwnerGrant:
    try:
        return await parts.endpoint.claim(read_keys(loaded.cloud), code, redirect_uri, now_s)
    except GrantRefusedError:
        raise WrongUseError(
            "Enphase does not take this code, which is good once and for minutes only; "
            "begin again with `cloud authorise`"
        ) from None


@commands.command()
def systems(as_json: Annotated[bool, typer.Option("--json", help="As SolarNetwork shows them.")] = False) -> None:
    """List the systems of the owner who approved, and when each was last seen; one call for each hundred."""
    loaded = settings.load()
    logs.configure(level="ERROR")

    async def ask() -> list[CloudSystem]:
        parts = make_cloud_parts(loaded, SystemClock())
        try:
            return await list_systems(parts.api)
        finally:
            await parts.api.aclose()

    found = asyncio.run(ask())
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode([describe_system(one) for one in found]), indent=1).decode())
    else:
        _print_systems(found)


def _print_systems(found: list[CloudSystem] | str) -> None:
    if isinstance(found, str):
        typer.echo(logs.make_inert(f"The systems could not be listed: {found}"))
        return
    now_s = SystemClock().now_ms() / 1000
    for one in found:
        seen = "never seen"
        if one.last_report_s is not None:
            at = datetime.fromtimestamp(one.last_report_s, UTC)
            ago = describe_duration(max(1.0, now_s - one.last_report_s))
            seen = f"last seen {at:%Y-%m-%d %H:%M} UTC ({ago} ago)"
        typer.echo(logs.make_inert(f"{one.system_id}  {one.name}  {one.time_zone}  {seen}"))
    if not found:
        typer.echo("The owner who approved has no system.")


@commands.command()
def forget(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove the kept approval from this machine; at Enphase it lives on until the owner withdraws it."""
    loaded = settings.load()
    if not yes and not typer.confirm("Forget the owner's approval? Nothing is read until it is given again."):
        return
    try:
        is_gone = GrantFile(loaded.state_dir).forget()
    except OSError as error:
        raise ScraperSettingError(f"{loaded.state_dir} cannot be written ({error.strerror})") from error
    typer.echo("Forgotten." if is_gone else "There was none.")

"""`envoy-scraper support`: one archive for a report of a bug, without secrets; works beside a running scraper."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scraper import settings
from scraper.check.walk import walk
from scraper.cloud.grant import GrantFile
from scraper.errors import GatewayError, OutboxError, ScraperError, ScraperSettingError
from scraper.gateway.pinning import PinStore
from scraper.gateway.raw import RawGateway
from scraper.outbox import Outbox
from scraper.service.build import make_gateway_options
from scraper.service.startup import OUTBOX_FILE
from scraper.settings import ScraperSettings
from scraper.settings.loading import list_known_settings
from shared import logs
from shared.clock import SystemClock
from shared.environment import UnreadableSettingError, read_environment
from shared.local_settings import add_local_settings
from shared.pseudonyms import Pseudonyms
from shared.support import (
    describe_files,
    describe_settings,
    describe_versions,
    hide_secret_files,
    read_log,
    write_archive,
)

COMMAND = "envoy-scraper"
PATHS = (
    "/info",
    "/api/v1/production",
    "/api/v1/production/inverters",
    "/production.json?details=1",
    "/inventory.json",
    "/ivp/meters",
    "/ivp/meters/readings",
    "/ivp/pdm/energy",
    "/ivp/pdm/device_data",
    "/ivp/ensemble/inventory",
    "/ivp/ensemble/status",
    "/ivp/ensemble/secctrl",
    "/ivp/ensemble/power",
    "/ivp/ensemble/relay",
    "/ivp/ensemble/generator",
    "/ivp/ensemble/dry_contacts",
    "/ivp/ss/dry_contact_settings",
    "/ivp/ss/gen_config",
)
"""What is asked of the gateway, in turn; not `/home`, which is slow and knows the network of the house."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("support")(make_archive)


def make_archive(
    log: Annotated[Path | None, typer.Option(help="A file with the scraper's log; its last lines are taken.")] = None,
    to: Annotated[Path | None, typer.Option(help="The archive to write; it must not be there yet.")] = None,
) -> None:
    """Write an archive for a report of a bug: versions, settings, check, replies of the gateway; no secrets."""
    logs.configure(level="ERROR")
    clock, pseudonyms = SystemClock(), Pseudonyms()
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    path = to or Path(f"{COMMAND}-support-{now:%Y%m%d-%H%M%S}.tar.gz")
    try:
        texts = {"versions.txt": describe_versions(), "log.txt": read_log(log, COMMAND)}
        environment = add_local_settings(read_environment(), "ENVOY_STATE_DIR")
        texts |= _collect(clock, pseudonyms)
        texts["settings.txt"] = describe_settings(environment, list_known_settings(), pseudonyms)
        write_archive(path, COMMAND, texts, pseudonyms, now_s=now.timestamp())
    except UnreadableSettingError as error:
        raise ScraperSettingError(str(error)) from error
    except OSError as error:
        raise ScraperError(
            f"{error.filename or path} cannot be used ({error.strerror}): name another one with --log or --to"
        ) from error
    typer.echo(f"{path}: look through it before you give it away (docs/support.md says what is in it)")


def _collect(clock: SystemClock, pseudonyms: Pseudonyms) -> dict[str, str]:
    """What needs settings that can be used; where they cannot, the reason."""
    try:
        loaded = settings.load()
        known = loaded.gateway.serial or PinStore(loaded.state_dir).read_gateway()
    except ScraperSettingError as error:
        return {"check.txt": f"The settings cannot be used: {error}\n"}
    if known is not None:
        pseudonyms.hide("gateway", known)
    hide_secret_files(pseudonyms, [*(loaded.state_dir / "tokens").glob("*"), loaded.key_file])
    _hide_grant(loaded, pseudonyms)
    lines: list[str] = []
    asyncio.run(walk(loaded, clock, lambda one: lines.append(f"{one.level:>4}  {one.step}: {one.text}")))
    texts = {
        "check.txt": "\n".join(lines) + "\n",
        "files.txt": describe_files(loaded.state_dir),
        "outbox.txt": _describe_outbox(loaded, clock),
    }
    if loaded.source == "cloud":
        return texts
    replies, serial = asyncio.run(_ask_gateway(loaded, clock))
    if serial is not None:
        pseudonyms.hide("gateway", serial)
    return texts | replies


def _hide_grant(loaded: ScraperSettings, pseudonyms: Pseudonyms) -> None:
    """The number of the system, and the tokens of the owner's approval if there is one."""
    if loaded.cloud.system is not None:
        pseudonyms.hide("system", str(loaded.cloud.system))
    with contextlib.suppress(ScraperError):  # `check` says what is wrong with the file
        if (grant := GrantFile(loaded.state_dir).load()) is not None:
            pseudonyms.hide_secret(grant.access)
            pseudonyms.hide_secret(grant.refresh)


async def _ask_gateway(loaded: ScraperSettings, clock: SystemClock) -> tuple[dict[str, str], str | None]:
    """The replies by their file names, and the serial of the gateway that gave them."""
    gateway = RawGateway(make_gateway_options(loaded), clock)
    texts: dict[str, str] = {}
    serial = None
    try:
        for path in PATHS:
            reply, serial = await gateway.read(path), gateway.serial
            name = "gateway/" + "".join(letter if letter.isalnum() else "_" for letter in path.lstrip("/")) + ".txt"
            body = reply.body.decode(errors="replace")
            texts[name] = f"GET {path}\nstatus {reply.status}\n{reply.content_type}\n\n{body}"
    except (GatewayError, ScraperSettingError) as error:
        texts["gateway/ended.txt"] = f"The gateway was asked no further: {error}\n"
    finally:
        await gateway.aclose()
    return texts, serial


def _describe_outbox(loaded: ScraperSettings, clock: SystemClock) -> str:
    path = loaded.state_dir / OUTBOX_FILE
    if not path.exists():
        return "There is no outbox yet.\n"
    try:
        outbox = Outbox.open(path, quota_bytes=loaded.outbox_quota_bytes, now_ms=clock.now_ms, exclusive=False)
    except OutboxError as error:
        return f"The outbox cannot be read: {error}\n"
    try:
        return "\n".join(_list_numbers(outbox)) + "\n"
    except OutboxError as error:
        return f"The outbox cannot be read: {error}\n"
    finally:
        outbox.close()


def _list_numbers(outbox: Outbox) -> Iterator[str]:
    for name, value in outbox.read_stats()._asdict().items():
        yield f"{name} {value}"
    codes = [letter.code for letter in outbox.read_dead_letters()]
    for code in sorted(set(codes)):
        yield f"refused as {code}: {codes.count(code)} of the last {len(codes)}"

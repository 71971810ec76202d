"""Receiver and scraper together, and the view on them: what both commands share."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
from rich.console import Console
from rich.live import Live

from receiver.auth.readers import make_page_link
from shared.clock import Clock
from standalone.api import ReceiverApi, StatusPort
from standalone.errors import NotReadyError
from standalone.messages import format_message
from standalone.processes import Child, ProcessGroup
from standalone.state import Sources, read_state
from standalone.view import ViewFrame, render_line, render_screen

_START_S = 60.0
_LOOK_S = 0.2
_SCREEN_S = 1.0
_LINE_S = 5.0
_MESSAGES = 4


@dataclass(frozen=True, kw_only=True)
class LocalInstallation:
    """One gateway with its scraper and its receiver on this machine.

    Attributes:
        title: What is running.
        serial: Of the gateway.
        url: Base address of the receiver.
        receiver_status_port: Of the receiver.
        scraper_status_port: Of the scraper.
        environment: Settings of both, added to what the process group has.
        data: Where the readings lie.
        token_command: What to type for a link with another reader token.
        simulated: Whether there is nothing to hide: then the link to the page is shown in logs and pipes, too.
        notes: Further addresses and files that are shown to people: label to text.
    """

    title: str
    serial: str
    url: str
    receiver_status_port: int
    scraper_status_port: int
    environment: Mapping[str, str]
    data: str
    token_command: str
    simulated: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


async def start_receiver(group: ProcessGroup, installation: LocalInstallation, clock: Clock) -> str:
    """Start the receiver and wait until it answers; returns a reader token. Raises StandaloneError."""
    child = await group.start("receiver", "receiver", "run", environment=installation.environment)
    await wait_until_ready(child, f"{installation.url}/readyz", clock)
    output = await group.run(
        "command envoy-receiver token", "receiver", "token", "create", "--gateway", installation.serial, "--days", "2",
        environment=installation.environment,
    )  # fmt: skip
    return output.strip()


async def start_scraper(group: ProcessGroup, installation: LocalInstallation) -> None:
    """Start the scraper. The view asks its status port whether it is ready."""
    await group.start("scraper", "scraper", "run", environment=installation.environment)


async def watch(
    group: ProcessGroup, installation: LocalInstallation, token: str, clock: Clock, *, loader: Child | None = None
) -> None:
    """Show the live view until cancelled. Raises ChildDiedError as soon as a process ends by itself."""
    sources = Sources(
        ReceiverApi(installation.url, installation.serial, token),
        StatusPort("scraper", installation.scraper_status_port),
        StatusPort("receiver", installation.receiver_status_port),
    )
    console = Console()
    shown = console.is_terminal or installation.simulated
    links = {
        "the page": make_page_link(installation.url, token) if shown else f"{installation.url}/",
        "another link to it": installation.token_command,
        "API": f"{installation.url}/api/v1/gateways/{installation.serial}/meters",
        "data": installation.data,
        **installation.notes,
    }

    def make_frame() -> ViewFrame:
        recent_lines = [format_message(*entry) for entry in list(group.recent_lines)[-_MESSAGES:]]
        return ViewFrame(installation.title, links, read_history_share(loader), recent_lines)

    show = _show_screen if console.is_terminal else _print_lines
    viewing = asyncio.create_task(show(console, sources, make_frame, clock))
    dying = asyncio.create_task(group.wait_for_unexpected_end())
    try:
        await asyncio.wait({viewing, dying}, return_when=asyncio.FIRST_COMPLETED)
        if dying.done():
            raise dying.result()
        viewing.result()
    finally:
        for task in (viewing, dying):
            task.cancel()
        await asyncio.gather(viewing, dying, return_exceptions=True)
        await sources.aclose()


def read_history_share(loader: Child | None) -> float | None:
    """Share of the past that the loader has stored, 0 to 1; None without a loader."""
    if loader is None:
        return None
    return float(json.loads(loader.output)["done"]) if loader.output else 0.0


async def _show_screen(console: Console, sources: Sources, make_frame: Callable[[], ViewFrame], clock: Clock) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(render_screen(await read_state(sources), make_frame()), refresh=True)
            await clock.sleep(_SCREEN_S)


async def _print_lines(console: Console, sources: Sources, make_frame: Callable[[], ViewFrame], clock: Clock) -> None:
    around = make_frame()
    console.print(
        around.title, *(f"{label}: {target}" for label, target in around.links.items()), sep="\n", soft_wrap=True
    )
    while True:
        console.print(
            render_line(await read_state(sources), make_frame().history), soft_wrap=True, highlight=False, markup=False
        )
        sys.stdout.flush()
        await clock.sleep(_LINE_S)


async def wait_until_ready(child: Child, address: str, clock: Clock) -> None:
    """Wait until a child says at this address that it is ready. Raises ChildDiedError or NotReadyError."""
    end = clock.monotonic() + _START_S
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        while clock.monotonic() < end:
            if not child.running:
                raise await child.wait_for_end()
            try:
                if (await client.get(address)).is_success:
                    return
            except httpx.HTTPError:
                pass  # not listening yet
            await clock.sleep(_LOOK_S)
    raise NotReadyError(f"the {child.name} did not answer at {address} within {_START_S:.0f} s")

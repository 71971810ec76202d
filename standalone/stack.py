"""Receiver and scraper together, and the view on them: what both commands share."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
from rich.console import Console
from rich.live import Live

from receiver.auth.readers import page_link
from shared.clock import Clock
from standalone.api import ReceiverApi, StatusPort
from standalone.errors import NotReadyError
from standalone.messages import message
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
        environment: Settings of both, added to what the family has.
        data: Where the readings lie.
        token_command: What to type for a link with another reader token.
        simulated: Whether there is nothing to hide: then the link to the page is shown in logs and pipes, too.
        places: Further addresses and files that people are told: label to text.
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
    places: Mapping[str, str] = field(default_factory=dict)


async def start_receiver(family: ProcessGroup, household: LocalInstallation, clock: Clock) -> str:
    """Start the receiver and wait until it answers; returns a reader token. Raises StandaloneError."""
    child = await family.start("receiver", "receiver", "run", environment=household.environment)
    await answers(child, f"{household.url}/readyz", clock)
    output = await family.run(
        "command envoy-receiver token", "receiver", "token", "create", "--gateway", household.serial, "--days", "2",
        environment=household.environment,
    )  # fmt: skip
    return output.strip()


async def start_scraper(family: ProcessGroup, household: LocalInstallation) -> None:
    """Start the scraper; it tells by itself how it fares."""
    await family.start("scraper", "scraper", "run", environment=household.environment)


async def watch(
    family: ProcessGroup, household: LocalInstallation, token: str, clock: Clock, *, loader: Child | None = None
) -> None:
    """Show the live view until cancelled. Raises ChildDiedError as soon as a part ends by itself."""
    sources = Sources(
        ReceiverApi(household.url, household.serial, token),
        StatusPort("scraper", household.scraper_status_port),
        StatusPort("receiver", household.receiver_status_port),
    )
    console = Console()
    shown = console.is_terminal or household.simulated
    links = {
        "the page": page_link(household.url, token) if shown else f"{household.url}/",
        "another link to it": household.token_command,
        "API": f"{household.url}/api/v1/gateways/{household.serial}/meters",
        "data": household.data,
        **household.places,
    }

    def frame() -> ViewFrame:
        said = [message(*entry) for entry in list(family.said)[-_MESSAGES:]]
        return ViewFrame(household.title, links, history(loader), said)

    show = _live if console.is_terminal else _lines
    viewing = asyncio.create_task(show(console, sources, frame, clock))
    dying = asyncio.create_task(family.first_death())
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


def history(loader: Child | None) -> float | None:
    """How much of the past the loader has stored, 0 to 1; None without a loader."""
    if loader is None:
        return None
    return float(json.loads(loader.output)["done"]) if loader.output else 0.0


async def _live(console: Console, sources: Sources, frame: Callable[[], ViewFrame], clock: Clock) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(render_screen(await read_state(sources), frame()), refresh=True)
            await clock.sleep(_SCREEN_S)


async def _lines(console: Console, sources: Sources, frame: Callable[[], ViewFrame], clock: Clock) -> None:
    around = frame()
    console.print(
        around.title, *(f"{label}: {target}" for label, target in around.links.items()), sep="\n", soft_wrap=True
    )
    while True:
        console.print(
            render_line(await read_state(sources), frame().history), soft_wrap=True, highlight=False, markup=False
        )
        sys.stdout.flush()
        await clock.sleep(_LINE_S)


async def answers(child: Child, address: str, clock: Clock) -> None:
    """Wait until a child says at this address that it is ready. Raises ChildDiedError or NotReadyError."""
    end = clock.monotonic() + _START_S
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        while clock.monotonic() < end:
            if not child.running:
                raise await child.died()
            try:
                if (await client.get(address)).is_success:
                    return
            except httpx.HTTPError:
                pass  # not listening yet
            await clock.sleep(_LOOK_S)
    raise NotReadyError(f"the {child.name} did not answer at {address} within {_START_S:.0f} s")

"""Receiver and scraper together, and the view on them: what both commands share."""

import asyncio
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.style import Style
from rich.text import Text

from receiver.auth.links import find_or_make_standing, make_page_link
from receiver.cli.terminal import draw_qr_code, is_loopback_address
from receiver.errors import ReceiverSettingError
from shared.clock import Clock
from shared.environment import ENV_FILE_OPTION
from standalone.api import ReceiverApi, StatusPort
from standalone.errors import NotReadyError, StandaloneError
from standalone.keyboard import has_browser, watch_key
from standalone.messages import format_message
from standalone.others import OtherScraper
from standalone.past import PastWatch
from standalone.processes import Child, ProcessGroup
from standalone.state import Sources, read_state
from standalone.view import ViewFrame, render_line, render_screen

_START_S = 60.0
_LOOK_S = 0.2
_SCREEN_S = 1.0
_LINE_S = 5.0
_MESSAGES = 4
_LINK_NAME = "this machine"


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
        token_command: What to type for another link to the page.
        public_url: Where people open the page; None: at `url`.
        simulated: Whether there is nothing to hide: then the link to the page is shown in logs and pipes, too.
        notes: Further addresses and files that are shown to people: label to text.
        gateways: All gateways, where there are more.
        others: The further scrapers: label to status port.
    """

    title: str
    serial: str
    url: str
    receiver_status_port: int
    scraper_status_port: int
    environment: Mapping[str, str]
    data: str
    token_command: str
    public_url: str | None = None
    simulated: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)


async def start_receiver(group: ProcessGroup, installation: LocalInstallation, clock: Clock) -> str:
    """Start the receiver and wait until it answers; returns the code of its link. Raises StandaloneError."""
    child = await group.start("receiver", "receiver", "run", environment=installation.environment)
    await wait_until_ready(child, f"{installation.url}/readyz", clock)
    try:
        return find_or_make_standing(
            Path(installation.environment["RECEIVER_STATE_DIR"]),
            name=_LINK_NAME,
            gateways=[*installation.gateways] or [installation.serial],
            now_s=clock.now_ms() // 1000,
        )
    except ReceiverSettingError as error:
        raise StandaloneError(str(error)) from error


async def start_scraper(group: ProcessGroup, installation: LocalInstallation) -> None:
    """Start the scraper. The view asks its status port whether it is ready."""
    await group.start("scraper", "scraper", "run", environment=installation.environment)


async def start_other_scraper(group: ProcessGroup, other: OtherScraper, environment: Mapping[str, str]) -> None:
    """Start the scraper of a further gateway, with the settings of its own file."""
    await group.start(
        f"scraper-{other.name}", "scraper", ENV_FILE_OPTION, str(other.file), "run", environment=environment
    )


async def watch(
    group: ProcessGroup,
    installation: LocalInstallation,
    code: str,
    clock: Clock,
    *,
    loader: Child | None = None,
    past_hours: int = 0,
) -> None:
    """Show the live view until cancelled. Raises ChildDiedError as soon as a process ends by itself."""
    sources = Sources(
        ReceiverApi(installation.url, installation.serial, code),
        StatusPort("scraper", installation.scraper_status_port),
        StatusPort("receiver", installation.receiver_status_port),
        [StatusPort(f"scraper of {label}", port) for label, port in installation.others.items()],
    )
    console = Console()
    page = installation.public_url or installation.url
    link = make_page_link(page, code)
    shown = console.is_terminal or installation.simulated
    if console.is_terminal:
        print_link(console, link, simulated=installation.simulated)
    links = {
        "the page": f"{page}/" if console.is_terminal or not shown else link,
        "another link to it": installation.token_command,
        "API": f"{installation.url}/api/v1/gateways/{installation.serial}/meters",
        "data": installation.data,
        **installation.notes,
    }

    past = PastWatch(loader, sources.api, sources.receiver, past_hours)

    async def make_frame() -> ViewFrame:
        recent_lines = [format_message(*entry) for entry in list(group.recent_lines)[-_MESSAGES:]]
        keys = "o opens the page, Ctrl-C stops everything" if opens else "Ctrl-C stops everything"
        return ViewFrame(installation.title, links, await past.read_share(), recent_lines, keys)

    show = _show_screen if console.is_terminal else _print_lines
    wanted = console.is_terminal and has_browser(group.environment)
    try:
        with watch_key("o", lambda: webbrowser.open(link), wanted=wanted) as opens:
            await _watch_group(group, show(console, sources, make_frame, clock))
    finally:
        await sources.aclose()


async def _watch_group(group: ProcessGroup, show: Coroutine[Any, Any, None]) -> None:
    """Show until cancelled. Raises ChildDiedError as soon as a process ends by itself."""
    viewing, dying = asyncio.create_task(show), asyncio.create_task(group.wait_for_unexpected_end())
    try:
        await asyncio.wait({viewing, dying}, return_when=asyncio.FIRST_COMPLETED)
        if dying.done():
            raise dying.result()
        viewing.result()
    finally:
        for task in (viewing, dying):
            task.cancel()
        await asyncio.gather(viewing, dying, return_exceptions=True)


def print_link(console: Console, link: str, *, simulated: bool) -> None:
    """Show the link once, bare, so that it can be copied and clicked, with a QR code and where it works."""
    console.print(Text(link, style=Style(link=link)), soft_wrap=True)
    console.print(Text(draw_qr_code(link)), soft_wrap=True)
    if is_loopback_address(link):
        phone = "" if simulated else " On your phone: make run LAN=1"  # it would start for a gateway that nobody has
        console.print(f"This address works on this machine only.{phone}", markup=False)


async def _show_screen(
    console: Console, sources: Sources, make_frame: Callable[[], Awaitable[ViewFrame]], clock: Clock
) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(render_screen(await read_state(sources), await make_frame(), console), refresh=True)
            await clock.sleep(_SCREEN_S)


async def _print_lines(
    console: Console, sources: Sources, make_frame: Callable[[], Awaitable[ViewFrame]], clock: Clock
) -> None:
    around = await make_frame()
    console.print(
        around.title, *(f"{label}: {target}" for label, target in around.links.items()), sep="\n", soft_wrap=True
    )
    while True:
        console.print(
            render_line(await read_state(sources), (await make_frame()).history),
            soft_wrap=True,
            highlight=False,
            markup=False,
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

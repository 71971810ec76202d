"""`envoy-scraper read /path` and `envoy-scraper send`: what a person asks of the gateway by hand.

Replies are shown without what looks like a secret. Exit status: 0; 1 the gateway refused, or the login failed; 2 wrong
use, nothing was done; 3 the gateway cannot be reached.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from scraper import settings
from scraper.errors import GatewayUnreachableError, WrongUseError
from scraper.gateway.pinning import PinStore
from scraper.gateway.raw import RawGateway
from scraper.gateway.raw_memory import KeptReply, RawMemory
from scraper.gateway.raw_request import MOST_DATA, judge_data, judge_method, judge_path
from scraper.gateway.transport import GatewayReply
from scraper.service.build import make_gateway_options
from scraper.settings import ScraperSettings
from shared import logs
from shared.clock import SystemClock
from shared.logs import make_inert, make_lines_inert
from shared.redaction import redact_document

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("send")(send)


def read_paths(paths: list[str], *, as_json: bool, max_age_s: float | None) -> None:
    """Print the reply of each path; with `max_age_s`, the kept one where it is young enough."""
    for path in paths:
        judge_path(path)
    loaded = settings.load()
    texts = {} if max_age_s is None else _find_kept(loaded, paths, max_age_s)
    wanted = list(dict.fromkeys(paths))
    missing = [path for path in wanted if path not in texts]
    replies = _ask(loaded, missing) if missing else {}
    texts |= {path: _make_text(reply) for path, reply in replies.items()}
    if as_json:
        typer.echo(_format_json({path: _parse(texts[path]) for path in wanted}))
    else:
        heads = [f"{path}:\n" if len(wanted) > 1 else "" for path in wanted]
        typer.echo("\n".join(head + _format_text(texts[path]) for head, path in zip(heads, wanted, strict=True)))
    _judge({f"GET {path}": reply for path, reply in replies.items()})


def _ask(loaded: ScraperSettings, paths: list[str]) -> dict[str, GatewayReply]:
    """The replies of paths, one after another; good ones are kept for `--cached`."""

    async def ask(gateway: RawGateway) -> dict[str, GatewayReply]:
        replies: dict[str, GatewayReply] = {}
        for path in paths:
            reply = replies[path] = await gateway.read(path)
            if _is_good(reply) and gateway.serial is not None:
                _keep(loaded, KeptReply(path, gateway.serial, SystemClock().now_ms(), _make_text(reply)))
        return replies

    return _use_gateway(loaded, ask)


def _judge(replies: dict[str, GatewayReply]) -> None:
    """End with status 1 if the gateway refused something, and say what."""
    refused = {what: reply.status for what, reply in replies.items() if not _is_good(reply)}
    for what, status in refused.items():
        typer.echo(f"envoy-scraper: the gateway answered {redact_document(what)} with status {status}", err=True)
    if refused:
        sys.exit(1)


def send(
    method: Annotated[str, typer.Argument(help="PUT or POST.")],
    path: Annotated[str, typer.Argument(help="A path of the gateway, e.g. /ivp/ss/dry_contact_settings.")],
    data: Annotated[Path, typer.Option("--data", help="A file of JSON, sent as it is; - is standard input.")],
    accept_risk: Annotated[
        bool, typer.Option("--accept-risk", help="Really send it. Without this, it is only shown.")
    ] = False,
) -> None:
    """Write to the gateway, once: what is sent may change how your system works.

    /ivp/ensemble/relay separates the house from the grid; /ivp/mod/.../mode/power stops production. Without
    --accept-risk nothing is sent and no connection is made.
    """
    method, path = judge_method(method), judge_path(path)
    content = judge_data(_read_data(data))
    if not accept_risk:
        typer.echo(f"{method} {redact_document(path)}\nContent-Type: application/json\n")
        typer.echo(_format_text(redact_document(content.decode())))
        typer.echo("\nNothing was sent. With --accept-risk the gateway gets exactly this.")
        return

    async def write(gateway: RawGateway) -> GatewayReply:
        return await gateway.write(method, path, content)

    reply = _use_gateway(settings.load(), write)
    typer.echo(_format_json({path: _parse(_make_text(reply))}))
    _judge({f"{method} {path}": reply})


def _read_data(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(MOST_DATA + 1)
    try:
        with path.open("rb") as file:
            return file.read(MOST_DATA + 1)
    except OSError as error:
        raise WrongUseError(f"--data: {path} cannot be read ({error.strerror})") from error


def _find_kept(loaded: ScraperSettings, paths: list[str], max_age_s: float) -> dict[str, str]:
    memory, now_ms = RawMemory(loaded.state_dir), SystemClock().now_ms()
    serial = loaded.gateway.serial or PinStore(loaded.state_dir).read_gateway()
    found = {path: memory.find(path, serial, now_ms=now_ms, max_age_s=max_age_s) for path in paths}
    return {path: reply.text for path, reply in found.items() if reply is not None}


def _keep(loaded: ScraperSettings, reply: KeptReply) -> None:
    try:
        RawMemory(loaded.state_dir).keep(reply)
    except OSError as error:
        typer.echo(f"envoy-scraper: the reply could not be kept for --cached ({error.strerror})", err=True)


def _is_good(reply: GatewayReply) -> bool:
    return 200 <= reply.status < 300


def _make_text(reply: GatewayReply) -> str:
    return redact_document(reply.body.decode(errors="replace"))


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _format_json(value: object) -> str:
    """Pretty at a terminal. Redacted once more: JSON may spell a secret with escapes."""
    return redact_document(json.dumps(value, ensure_ascii=True, indent=2 if sys.stdout.isatty() else None))


def _format_text(text: str) -> str:
    """The text as it is, without characters that do something; JSON is laid out for a terminal."""
    value = _parse(text) if sys.stdout.isatty() else text
    return make_lines_inert(text.rstrip("\n")) if isinstance(value, str) else _format_json(value)


def _use_gateway(loaded: ScraperSettings, use: Callable[[RawGateway], Coroutine[Any, Any, T]]) -> T:
    logs.configure(level="WARNING")

    async def run() -> T:
        gateway = RawGateway(make_gateway_options(loaded), SystemClock())
        try:
            return await use(gateway)
        finally:
            await gateway.aclose()

    try:
        return asyncio.run(run())
    except GatewayUnreachableError as error:
        _end_unreachable(error)


def _end_unreachable(error: GatewayUnreachableError) -> NoReturn:
    typer.echo(make_inert(f"envoy-scraper: {error}"), err=True)
    sys.exit(3)

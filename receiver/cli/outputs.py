"""`envoy-receiver outputs`: how far every output is, and what people want of one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.cli.output_names import refuse_unless_known, refuse_unless_sent
from receiver.errors import ReceiverSettingError
from receiver.outputs.mqtt.output import MqttOutput
from receiver.outputs.progress_file import FILE, OutputWish, leave_wish, load_standing
from shared.clock import SystemClock
from shared.durations import describe_duration
from shared.logs import make_inert
from shared.units import MINUTE_MS
from shared.wire import EARLIEST_MS

_NOTHING_NEW_MS = 5 * MINUTE_MS
"""A gateway of which nothing was stored for so long gives nothing new; less is between two posts and the file."""

app = typer.Typer(no_args_is_help=False, invoke_without_command=True, help="How far every output is; send again.")


@app.callback()
def print_outputs(context: typer.Context) -> None:
    """Say how far every output is with every gateway, as of the last minute."""
    if context.invoked_subcommand is not None:
        return
    with show_errors_as_sentences():
        chosen = settings.load()
        for line in describe_outputs(chosen.state_dir / FILE, SystemClock().now_ms()):
            typer.echo(make_inert(line))


@app.command()
def resend(
    output: Annotated[str, typer.Argument(help="Its name, as `envoy-receiver outputs` lists it.")],
    since: Annotated[str, typer.Option(help="A day or a time (ISO 8601; UTC unless it has an offset).")],
    gateway: Annotated[str, typer.Option(help="Serial; all gateways unless given.")] = "",
) -> None:
    """Deliver everything since a time again; the running receiver begins within a minute."""
    with show_errors_as_sentences():
        chosen = settings.load()
        start = _parse_time(since, SystemClock().now_ms())
        refuse_unless_sent(chosen, output, gateway)
        leave_wish(chosen.state_dir / FILE, OutputWish(output, gateway, start))
    typer.echo("noted; the running receiver begins within a minute")


@app.command()
def forget(gateway: Annotated[str, typer.Argument(help="Serial.")]) -> None:
    """Empty all that the MQTT broker retains of a gateway; the running receiver begins within a minute.

    Its netted lifetime totals begin again, too. A gateway that still sends readings comes back with the next one.
    """
    with show_errors_as_sentences():
        chosen = settings.load()
        refuse_unless_known(chosen, gateway)
        leave_wish(chosen.state_dir / FILE, OutputWish("mqtt", gateway, None))
    typer.echo("noted; the running receiver begins within a minute")


def describe_outputs(path: Path, now_ms: int) -> Iterator[str]:
    """Lines for people: each output and gateway, and what it lacks."""
    known = load_standing(path)
    for output, one in known:
        behind_ms = one.find_behind(now_ms, 0)
        standing = f"behind {describe_duration(behind_ms / 1000)}"
        if one.is_silent and not behind_ms:
            standing = "has all that there is"
            if output == MqttOutput.name:
                standing = "emptied, until the gateway sends again"
            elif now_ms - one.sent_until > _NOTHING_NEW_MS:
                standing += " (the gateway gives nothing new)"
        last = "never" if one.last_success is None else f"{describe_duration((now_ms - one.last_success) / 1000)} ago"
        yield f"{output}  gateway {one.gateway}: {standing}, last success {last}, put aside {one.put_aside} rows"
    if not known:
        yield "no output has run here yet; docs/integrations.md says how to set one up"


def _parse_time(text: str, now_ms: int) -> int:
    """A time of the past that readings may have, in milliseconds since 1970. Raises ReceiverSettingError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ReceiverSettingError(
            "--since must be a day or a time like 2026-06-01 or 2026-06-01T12:00+02:00"
        ) from None
    found = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    if not EARLIEST_MS <= found <= now_ms:
        raise ReceiverSettingError("--since must be a time of the past, from 2000 on: nothing was measured before that")
    return found

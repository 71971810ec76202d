"""What the commands share: an error is one sentence on stderr and exit status 1, never a traceback."""

import contextlib
import time
from collections.abc import Iterator

import typer

from receiver.errors import ReceiverError
from shared.logs import make_lines_inert


@contextlib.contextmanager
def show_errors_as_sentences() -> Iterator[None]:
    """Turn the errors of people (settings, files, arguments) into a sentence and an exit status."""
    try:
        yield
    except (ReceiverError, ValueError) as error:
        typer.echo(make_lines_inert(f"envoy-receiver: {error}"), err=True)
        raise typer.Exit(1) from None


def format_day(seconds: int) -> str:
    """A UTC date from seconds since 1970."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))

"""`envoy-scraper check`: the first thing that a new user runs."""

import asyncio
import sys

import typer

from scraper import settings
from scraper.check.edge import is_scraper_running
from scraper.check.findings import Finding, Level
from scraper.check.walk import walk
from scraper.service.startup import OUTBOX_FILE
from shared import logs
from shared.clock import SystemClock
from shared.environment import get_env_file

_COLOURS = {Level.OK: typer.colors.GREEN, Level.NOTE: typer.colors.YELLOW, Level.FAIL: typer.colors.RED}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(check)


def check() -> None:
    """Walk the whole way (find, identify, log in, endpoints, meters, stream, receiver) and say what works.

    Exit status 0: the scraper could run. 1: it could not; the lines marked FAIL say why and what to do.
    """
    loaded = settings.load()
    logs.configure(level="ERROR")
    typer.echo(f"Settings: {get_env_file()} and the environment; state: {loaded.state_dir}")
    good = asyncio.run(walk(loaded, SystemClock(), _print))
    if not good:
        end = "The scraper could not run yet: see the lines marked FAIL."
    elif is_scraper_running(loaded.state_dir / OUTBOX_FILE):
        end = "Everything the scraper needs works, and it runs already."
    else:
        end = "Everything the scraper needs works: start it with `envoy-scraper run`."
    typer.echo(f"\n{end}")
    sys.exit(0 if good else 1)


def _print(finding: Finding) -> None:
    mark = typer.style(f"{finding.level:>4}", fg=_COLOURS[finding.level], bold=finding.level is Level.FAIL)
    typer.echo(f"{mark}  {finding.step}: {finding.text}")

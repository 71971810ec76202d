"""The commands of `envoy-scraper` other than `run`."""

import sys

import typer

from scraper.cli import check, cloud_import, cloud_streams, gateway, raw, support
from scraper.cli.cloud import commands as cloud_commands
from scraper.cli.outbox import commands as outbox_commands
from scraper.errors import ScraperError, WrongUseError
from shared.logs import make_lines_inert

typer_app = typer.Typer(
    help="Reads an Enphase gateway at home and posts what changed to your receiver. Begin with `check`. With "
    "`--env-file .env.garage` before the command: the scraper of another gateway, with settings of its own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
check.register(typer_app)
gateway.register(typer_app)
raw.register(typer_app)
support.register(typer_app)
typer_app.add_typer(outbox_commands, name="outbox")
cloud_streams.register(cloud_commands)
cloud_import.register(cloud_commands)
typer_app.add_typer(cloud_commands, name="cloud")


@typer_app.command()
def run() -> None:
    """Read the gateway and deliver, until stopped."""
    # reached only with options or abbreviations; the plain `run` is taken in __main__ before typer is imported
    from scraper.service.run import main  # noqa: PLC0415 (only what this command uses)

    sys.exit(main())


def run_app() -> None:
    """Run the command line; our own errors are one sentence on stderr and exit status 1, or 2 for wrong use."""
    try:
        typer_app()
    except ScraperError as error:
        typer.echo(make_lines_inert(f"envoy-scraper: {error}"), err=True)
        sys.exit(2 if isinstance(error, WrongUseError) else 1)

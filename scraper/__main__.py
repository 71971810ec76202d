"""`envoy-scraper`: the commands of the edge half."""

import sys


def main() -> None:
    """Run the command that the arguments name; `run` imports only what it uses while it runs."""
    # httpx imports its command line client, and with it a highlighter and a terminal library, if they are there:
    # ten megabytes that a Raspberry Pi keeps for nothing
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    if sys.argv[1:] == ["run"]:
        from scraper.run import main as run  # noqa: PLC0415 (only what this command uses)

        sys.exit(run())
    from scraper.cli import app  # noqa: PLC0415 (typer and rich are not for the running service)

    app()


if __name__ == "__main__":
    main()

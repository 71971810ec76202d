"""`envoy-scraper`: the commands of the edge half."""

import sys

from shared.environment import take_env_file


def main() -> None:
    """Run the command that the arguments name; `run` imports only what it uses while it runs."""
    sys.argv[1:] = take_env_file(sys.argv[1:])
    if sys.argv[1:] == ["run"]:
        # httpx (for its own command line), structlog (for pretty tracebacks and other schedulers) and shutil (for
        # archives) import all but the last if they are installed: eleven megabytes that a Raspberry Pi would keep for
        # nothing. httpcore looks for the last on the disk at every request if it is not installed.
        for name in ("httpx._main", "rich", "greenlet", "bz2", "lzma", "sniffio"):
            sys.modules[name] = None  # type: ignore[assignment]
        from scraper.service.run import main as run  # noqa: PLC0415 (only what this command uses)

        sys.exit(run())
    from scraper.cli import run_app  # noqa: PLC0415 (typer and rich are not for the running service)

    run_app()


if __name__ == "__main__":
    main()

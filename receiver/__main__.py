"""`envoy-receiver`: arguments in, exit status out."""

import sys


def main() -> None:
    """Run the command line. Commands speak in sentences; `run` sets up the log of a service."""
    if sys.argv[1:] == ["run"]:
        # httpx (for its own command line) and structlog (for pretty tracebacks) import these if they are installed:
        # a sixth of the time until the receiver is ready.
        for name in ("httpx._main", "rich"):
            sys.modules[name] = None  # type: ignore[assignment]
    from receiver.cli import app  # noqa: PLC0415 (after the lines above)
    from shared import logs  # noqa: PLC0415

    logs.configure(level="ERROR")
    app()


if __name__ == "__main__":
    main()

"""`envoy-receiver`: arguments in, exit status out."""

from receiver.cli import app
from shared import logs


def main() -> None:
    """Run the command line. Commands speak in sentences; `run` sets up the log of a service."""
    logs.configure(level="ERROR")
    app()


if __name__ == "__main__":
    main()

"""`envoy-receiver`: arguments in, exit status out."""

from receiver.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

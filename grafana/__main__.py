"""`python -m grafana` writes the Grafana files; `python -m grafana --check` compares them with what is checked in."""

import argparse
import sys

from grafana import generated


def main() -> int:
    """Write or compare the files; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m grafana", description="Write the Grafana files of this project.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file differs")
    if not parser.parse_args().check:
        generated.write_files()
        return 0
    differing = generated.find_differences()
    if differing:
        names = ", ".join(f"grafana/{name}" for name in differing)
        print(
            f"These files are not what their source makes: {names}. Run `python -m grafana` and commit.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

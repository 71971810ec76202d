"""`envoy-scraper run`: settings, logging, the event loop, the exit status."""

import asyncio
import sys

from scraper.app import run
from scraper.config import load_lean
from scraper.errors import ScraperError
from shared import logs


def main() -> int:
    """Run until stopped; returns the exit status."""
    status = 0
    try:
        loaded = load_lean()
        logs.configure(level=loaded.log_level)
        asyncio.run(run(loaded))
    except* ScraperError as errors:
        for error in errors.exceptions:
            print(error, file=sys.stderr)  # noqa: T201 (a sentence for the person who started it)
        status = 1
    return status

"""`envoy-scraper run`: settings, logging, the event loop, the exit status.

Whatever ends it but an orderly stop ends it with status 1, so that a supervisor starts it again.
"""

import asyncio
import sys

import structlog

from scraper.errors import ScraperError
from scraper.settings import load
from shared import logs


def main() -> int:
    """Run until stopped; returns the exit status."""
    status = 0
    try:
        loaded = load()
        logs.configure(level=loaded.log_level)
        if loaded.receiver is not None and loaded.receiver.secret.is_set:
            # PyJWT imports it if it is installed: nine megabytes, of which only the scraper's own key needs any.
            sys.modules["cryptography"] = None  # type: ignore[assignment]
        from scraper.service.app import run  # noqa: PLC0415 (after the line above)

        asyncio.run(run(loaded))
    except* ScraperError as errors:
        for error in errors.exceptions:
            print(logs.make_lines_inert(f"envoy-scraper: {error}"), file=sys.stderr)  # noqa: T201 (a sentence for the person who started it)
        status = 1
    except* Exception:  # noqa: BLE001 (the last place that can say what happened)
        structlog.get_logger().exception("the scraper failed; this is an error of the program, please report it")
        status = 1
    return status

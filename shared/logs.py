"""Logging, configured once: one JSON or console line per poll cycle, batch or fault; never per reading.

No secret, token or request body is ever logged: callers pass names and numbers, and `redact` is the last resort
for text that came from elsewhere.
"""

import logging
import re
import sys

import structlog

_JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*")


def redact(text: str, limit: int = 200) -> str:
    """`text` cut to `limit` characters, on one line, with anything that looks like a token removed."""
    return _JWT.sub("[token]", text)[:limit].replace("\r", " ").replace("\n", " ")


def configure(*, level: str = "INFO", json: bool | None = None) -> None:
    """Send every log line to stderr; JSON unless stderr is a terminal (or as `json` says)."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")

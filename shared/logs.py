"""Logging, configured once: one JSON or console line per poll cycle, batch or problem; never per reading.

No secret, token or request body is ever logged: callers pass names and numbers, and `redact` is the last resort
for text that came from elsewhere. Lines of libraries are made inert as ours are.
"""

import logging
import re
import sys

import structlog

_JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*")


def make_inert(text: str) -> str:
    """`text` on one line, without characters that do something: escapes, marks that turn the direction, line ends.

    What a gateway, a receiver or a machine in the network says must not be able to forge a line of ours.
    """
    if text.isprintable():
        return text
    return "".join(_replace_character(character) for character in text)


def make_lines_inert(text: str) -> str:
    """`text` with each of its lines inert: for a message of ours that has several lines."""
    return "\n".join(map(make_inert, text.split("\n")))


def _replace_character(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def redact(text: str, limit: int = 200) -> str:
    """`text` cut to `limit` characters, inert, with anything that looks like a token removed."""
    return make_inert(_JWT.sub("[token]", text)[:limit])


def _make_values_inert(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A processor for every line: its values may be somebody else's words.

    A traceback keeps its lines, which are indented, so that none of them is taken for a line of the log.
    """
    for name, value in line.items():
        if isinstance(value, str) and not value.isprintable():
            inert = make_lines_inert(value) if name == "exception" else make_inert(value)
            line[name] = inert.replace("\n", "\n  ")
    return line


class InertFormatter(logging.Formatter):
    """Lines of libraries: a record is one line, its traceback too, for they quote what strangers sent."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, without characters that do something and without tokens."""
        return make_inert(_JWT.sub("[token]", super().format(record)))


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
            _make_values_inert,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.setFormatter(InertFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries])

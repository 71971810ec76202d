"""How the values of a gateway are named where they go, by output."""

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from receiver.sites.part import SitePart, make_sentence_error

_EMON_NODE = re.compile(r"[0-9A-Za-z._-][0-9A-Za-z ._-]{0,63}")  # other characters vanish there without a word
_STATUS_INTERVALS_MIN = (5, 10, 15)
_SLOT_LENGTHS_S = (10, 15, 20, 30, 60)


def _check_node(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    if _EMON_NODE.fullmatch(text) is None:
        raise make_sentence_error("must be a name of 1 to 64 letters, digits, spaces, '.', '_' and '-'")
    return text


def _read_whole_number(value: Any) -> int | None:
    """A number as a file has it (text), or as a program gives it."""
    text = "" if isinstance(value, bool) else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _check_slot_length(value: Any) -> int:
    number = _read_whole_number(value)
    if number not in _SLOT_LENGTHS_S:
        raise make_sentence_error("must be the seconds of a slot: 10, 15, 20, 30 or 60")
    return number


def _check_lateness(value: Any) -> Any:
    if value not in ("send", "drop"):
        raise make_sentence_error("must be send (what came late is stored in its place) or drop")
    return value


def _check_system(value: Any) -> int:
    number = _read_whole_number(value)
    if not number:
        raise make_sentence_error("must be the number of the system, as its page at PVOutput says it")
    return number


def _check_status_interval(value: Any) -> int:
    number = _read_whole_number(value)
    if number not in _STATUS_INTERVALS_MIN:
        raise make_sentence_error("must be the status interval of the system in minutes: 5, 10 or 15")
    return number


Lateness: TypeAlias = Annotated[Literal["send", "drop"], BeforeValidator(_check_lateness)]
EmonNode = Annotated[str, BeforeValidator(_check_node)]


class SiteEmonCms(SitePart):
    """How the values of a gateway are named at EmonCMS.

    Attributes:
        node: Of the phases.
        panels: Node of the inverters.
        interval: Length of a slot of the phases, s: the interval of their feeds.
        late: Whether what lies behind what was sent goes there, too.
    """

    node: EmonNode = "envoy"
    panels: EmonNode = "envoy-panels"
    interval: Annotated[int, BeforeValidator(_check_slot_length)] = 10
    late: Lateness = "send"


class SitePvOutput(SitePart):
    """Where the values of a gateway go at PVOutput.

    Attributes:
        system: Number of the system there.
        interval: Its status interval, minutes.
    """

    system: Annotated[int, BeforeValidator(_check_system)]
    interval: Annotated[int, BeforeValidator(_check_status_interval)] = 5

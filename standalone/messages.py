"""Log lines of the processes as short messages for people."""

import json

from shared.logs import redact

_OUTSIDE = frozenset({"event", "level", "timestamp"})
_LONGEST = 160


def format_message(name: str, line: str) -> str:
    """One line: who, what, and the rest as `key=value`. Lines that are not our JSON stand as they are."""
    try:
        entry = json.loads(line)
    except ValueError:
        return f"{name}: {redact(line, _LONGEST)}"
    if not isinstance(entry, dict) or "event" not in entry:
        return f"{name}: {redact(line, _LONGEST)}"
    level = str(entry.get("level", "info"))
    rest = "".join(f" {key}={value}" for key, value in entry.items() if key not in _OUTSIDE)
    level_note = "" if level == "info" else f"[{level}] "
    return redact(f"{name}: {level_note}{entry['event']}{rest}", _LONGEST)

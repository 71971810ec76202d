"""Bodies of batches as bytes, good ones and ones that differ from a good one."""

import json
from typing import Any

from tests.clocks import NOW_MS

CANARY = "canary-b0dy"


def make_document(**changes: Any) -> dict[str, Any]:
    """A good batch as plain JSON, to be damaged."""
    reading = {
        "kind": "meter",
        "tags": {"meter": "production", "phase": "a"},
        "timestamp": NOW_MS,
        "fields": {"power": 1.0},
    }
    return {"version": 1, "batch": "aa", "outbox": "bb", "rows": [{"seq": 1, "reading": {**reading, **changes}}]}


def encode(**changes: Any) -> bytes:
    return json.dumps(make_document(**changes)).encode()


def make_raw(
    fields: bytes = b'{"power":1}', *, tags: bytes = b'{"meter":"production","phase":"a"}', stamp: bytes = b"1"
) -> bytes:
    reading = b'{"kind":"meter","tags":' + tags + b',"timestamp":' + stamp + b',"fields":' + fields + b"}"
    return b'{"version":1,"batch":"aa","outbox":"bb","rows":[{"seq":1,"reading":' + reading + b"}]}"

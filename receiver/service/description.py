"""`python -m receiver.service.description`: the API as OpenAPI, and what else the page and the receiver share."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from receiver.alarms import limits
from receiver.service.app import create_app
from receiver.service.build import build
from receiver.settings import ReceiverSettings
from shared.clock import SystemClock


def describe_api() -> dict[str, Any]:
    """The OpenAPI document of this version."""
    with tempfile.TemporaryDirectory() as folder:
        receiver = build(ReceiverSettings(state_dir=Path(folder)), clock=SystemClock())
        return create_app(receiver, docs=True).openapi()


def list_limits() -> dict[str, int | str]:
    """The limits of the alarms at which the page warns, too, by their names in `receiver.alarms.limits`."""
    names = ("REPORT_LATE_S", "BACKLOG_ROWS", "TOKEN_LEFT_S", "SHORT_LIVED_ROLE")
    return {name: getattr(limits, name) for name in names}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode({**describe_api(), "x-alarm-limits": list_limits()}))

"""`python -m receiver.service.description`: the API as OpenAPI, for the page's types and for writers of clients."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from receiver.service.app import create_app
from receiver.service.build import build
from receiver.settings import ReceiverSettings
from shared.clock import SystemClock


def describe_api() -> dict[str, Any]:
    """The OpenAPI document of this version."""
    with tempfile.TemporaryDirectory() as folder:
        receiver = build(ReceiverSettings(state_dir=Path(folder)), clock=SystemClock())
        return create_app(receiver, docs=True).openapi()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(describe_api()))

"""The receiver in this process: its own composition, a real port, a real SQLite file, and the test's clock."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from receiver.service.app import run_receiver
from receiver.service.build import Receiver, build
from shared.clock import Clock
from tests.receiver.service import make_settings

SECRET = "the secret of one simulated household"


@contextlib.asynccontextmanager
async def run_hosted_receiver(folder: Path, serial: str, clock: Clock) -> AsyncIterator[tuple[Receiver, str]]:
    """A running receiver for one gateway, and its address.

    Its rate limits are out of the way: they count simulated seconds, of which none passes while a backlog drains.
    """
    settings = make_settings(folder, secret=SECRET.encode(), gateways=(serial,))
    receiver = build(settings, clock=clock)
    async with run_receiver(receiver, host=settings.host, port=settings.port) as listener:
        yield receiver, f"http://127.0.0.1:{listener.port}"

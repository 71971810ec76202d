"""`envoy-receiver run`."""

import asyncio

from receiver import settings
from receiver.app import serve
from receiver.cli.console import faults_as_sentences
from shared import logs


def run() -> None:
    """Receive, store and answer until stopped (Ctrl-C or SIGTERM)."""
    with faults_as_sentences():
        chosen = settings.load()
        logs.configure(level=chosen.log_level)
        asyncio.run(serve(chosen))

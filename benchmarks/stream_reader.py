"""A minimal reader of the meter stream on httpx: it parses each event and keeps nothing.

For `benchmarks.edge`: what the same events cost without the delta detection, outbox, uplink and polls of the scraper.
It answers the signal USR1 with a line on stdout that says how many events it has read.
"""

import asyncio
import json
import signal
import sys

import httpx

_PREFIX = "data: "


class EventCount:
    """How many events were read."""

    def __init__(self) -> None:
        self.events = 0

    def tell(self) -> None:
        """Write it."""
        print(self.events, flush=True)


async def read_stream(gateway: dict[str, str], count: EventCount) -> None:
    """Read until terminated."""
    url = f"https://127.0.0.1:{gateway['https_port']}/stream/meter"
    headers = {"authorization": f"Bearer {gateway['token']}"}
    async with (
        httpx.AsyncClient(verify=False, timeout=30) as client,  # noqa: S501 (the simulator's own certificate)
        client.stream("GET", url, headers=headers) as answer,
    ):
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith(_PREFIX):
                json.loads(line.removeprefix(_PREFIX))
                count.events += 1


async def main() -> None:
    """Read the stream of the gateway that the first argument describes."""
    count = EventCount()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, count.tell)
    await read_stream(json.loads(sys.argv[1]), count)


if __name__ == "__main__":
    asyncio.run(main())

"""A minimal poller on the PyPI package pyenphase: log in, update once a minute, keep the last numbers."""

import asyncio
import json
import socket
import sys

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pyenphase import Envoy
from pyenphase.ssl import NO_VERIFY_SSL_CONTEXT


class BenchmarkPorts(AbstractResolver):
    """The package asks on ports 80 and 443; the simulator listens elsewhere."""

    def __init__(self, ports: dict[int, int]) -> None:
        self._ports = ports

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The address of the simulator."""
        real = self._ports[port]
        return [ResolveResult(hostname=host, host="127.0.0.1", port=real, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


async def main() -> None:
    """Poll until terminated."""
    gateway = json.loads(sys.argv[1])
    resolver = BenchmarkPorts({80: gateway["http_port"], 443: gateway["https_port"]})
    connector = aiohttp.TCPConnector(resolver=resolver, ssl=NO_VERIFY_SSL_CONTEXT, family=socket.AF_INET)
    async with aiohttp.ClientSession(connector=connector) as client:
        envoy = Envoy("envoy.test", client=client)
        await envoy.setup()
        await envoy.authenticate(token=gateway["token"])
        while True:
            await envoy.update()
            await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main())

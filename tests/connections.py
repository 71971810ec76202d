"""Raw connections of clients, which never outlive their test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def connect(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to 127.0.0.1, open as long as the context lasts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        await drop(writer)


async def drop(writer: asyncio.StreamWriter) -> None:
    """End a connection at once.

    `writer.close()` alone would wait for a peer that reads no more, and so leave an open transport to a later test.
    """
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()

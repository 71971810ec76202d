"""Targets of outputs that behave badly, in a process of their own.

    python -m benchmarks.bad_targets PORT hanging|failing|slow

`hanging` takes every connection and what is sent, and never answers; `failing` answers 500 at once; `slow` takes
everything and says so after two seconds. A broker's client gets the same: bytes that are no answer of a broker.
"""

import asyncio
import sys

SLOW_S = 2.0
_HEAD_LIMIT_BYTES = 64 * 1024
_FAILURE = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_SUCCESS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def serve(port: int, manner: str) -> None:
    """Serve until the process is ended."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer_all(reader, writer, manner)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", port, limit=_HEAD_LIMIT_BYTES)
    async with server:
        await server.serve_forever()


async def _answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, manner: str) -> None:
    if manner == "hanging":
        while await reader.read(65536):
            pass
        return
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_read_length(head))
        if manner == "slow":
            await asyncio.sleep(SLOW_S)
        writer.write(_FAILURE if manner == "failing" else _SUCCESS)
        await writer.drain()


def _read_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return int(next((line.partition(b":")[2] for line in lines if line.startswith(b"content-length:")), b"0"))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))

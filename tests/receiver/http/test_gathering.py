"""Answers leave in one piece, in order, and before their connection closes."""

import asyncio

from receiver.http.gathering import GatheringTransport


class RecordingTransport(asyncio.Transport):
    """A transport that keeps what happens to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.seen: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.seen.append(bytes(data))

    def close(self) -> None:
        self.seen.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.seen


def make_gathering() -> tuple[RecordingTransport, GatheringTransport]:
    recorder = RecordingTransport()
    return recorder, GatheringTransport(recorder, asyncio.get_running_loop())


async def test_what_is_written_in_one_step_leaves_in_one_piece():
    """A head and its body; and the next answer after them by itself."""
    recorder, transport = make_gathering()
    transport.write(b"head ")
    transport.write(b"body")
    assert recorder.seen == []
    await asyncio.sleep(0)
    assert recorder.seen == [b"head body"]
    transport.write(b"next")
    await asyncio.sleep(0)
    assert recorder.seen == [b"head body", b"next"]


async def test_closing_sends_what_was_written_first():
    """A refusal that ends its connection is heard all the same, and nothing is sent twice."""
    recorder, transport = make_gathering()
    transport.write(b"refused")
    transport.close()
    await asyncio.sleep(0)
    assert recorder.seen == [b"refused", "closed"]


async def test_everything_else_is_the_transport_s_own():
    """The server asks it for addresses and whether it is closing."""
    recorder, transport = make_gathering()
    assert transport.get_extra_info("peername") == ("127.0.0.1", 1)
    assert not transport.is_closing()
    recorder.close()
    assert transport.is_closing()

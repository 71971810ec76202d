"""Server-sent events as bytes. Data is JSON on one line, so nothing that is stored can forge an event of its own."""

import msgspec

from shared.readings import Reading

RETRY_MS = 3_000
"""How long a browser waits before it comes back."""

_encoder = msgspec.json.Encoder()


def encode_event(name: str, data: object, cursor: int | None = None) -> bytes:
    """One event. `cursor` is its id: the time (milliseconds since 1970) up to which its viewer has heard."""
    identity = b"" if cursor is None else b"id: %d\n" % cursor
    return b"event: %s\n%sdata: %s\n\n" % (name.encode(), identity, _encoder.encode(data))


def encode_reading(reading: Reading) -> bytes:
    """A stored reading (kind, tags, timestamp in ms, fields), with its time as the cursor."""
    return encode_event("reading", reading, reading.timestamp)


def encode_comment(text: str) -> bytes:
    """What a browser ignores: keeps a quiet connection open."""
    return b": %s\n\n" % text.encode()


def encode_preamble() -> bytes:
    """What comes first: how long to wait before coming back."""
    return b"retry: %d\n\n" % RETRY_MS

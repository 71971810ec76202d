"""Tokens with good signatures over anything at all."""

import base64
import json
from typing import Any

from tests.clocks import NOW_MS
from tests.receiver.service import SECRET, make_batch, make_ingest_claims, make_meter

NOW = NOW_MS // 1000
BODY = make_batch(make_meter())


def encode_part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def forge(header: Any, claims: Any = None, *, key: bytes = SECRET) -> str:
    """A token with a good HS256 signature over any bytes at all."""
    import hashlib  # noqa: PLC0415 (forging is the only use)
    import hmac  # noqa: PLC0415

    signed = f"{encode_part(header)}.{encode_part(make_ingest_claims() if claims is None else claims)}"
    return f"{signed}.{encode_part(hmac.digest(key, signed.encode(), hashlib.sha256))}"


HEADER = {"alg": "HS256", "typ": "JWT", "kid": "secret"}

"""The two `tar` commands of docs/operations.md carry a scraper's whole state to another machine."""

import re
import subprocess
from pathlib import Path

from scraper.gateway.pinning import PinStore
from scraper.gateway.tokens import TokenCache, parse_token
from scraper.service.startup import OUTBOX_FILE
from scraper.uplink.signer import EdgeKey
from tests.deploy.pages import TEXTS
from tests.scraper.gateway.fake import make_token
from tests.scraper.outbox.support import decoded, every, open_outbox, readings

SERIAL = "122300001234"
PACK, UNPACK = (
    re.search(rf"scraper (tar -C /var/lib/envoy-relay -{letter}z.*?) ?[<>] scraper.tar.gz", TEXTS["operations.md"])
    for letter in "cx"
)


def run(command: re.Match[str] | None, state: Path, data: bytes = b"") -> bytes:
    assert command is not None
    words = command[1].replace("/var/lib/envoy-relay", str(state)).split()
    return subprocess.run(words, input=data, check=True, capture_output=True).stdout


def test_key_pin_token_and_outbox_arrive(tmp_path: Path):
    old, new = tmp_path / "old", tmp_path / "new"
    token = parse_token(make_token(SERIAL))
    key = EdgeKey.load_or_make(old / "key").key_id
    PinStore(old).remember(SERIAL, "ab" * 32)
    TokenCache(old).save(SERIAL, token)
    outbox = open_outbox(old / OUTBOX_FILE)
    outbox.append(readings(0, 50))
    outbox.close()
    new.mkdir(mode=0o700)
    run(UNPACK, new, run(PACK, old))
    assert EdgeKey.load(new / "key").key_id == key
    assert PinStore(new).gateway() == SERIAL
    assert PinStore(new).fingerprint(SERIAL) == "ab" * 32
    assert TokenCache(new).load(SERIAL) == token
    moved = open_outbox(new / OUTBOX_FILE)
    assert decoded(every(moved)) == readings(0, 50)
    moved.close()

"""Whichever bit of an outbox flips: it starts, it delivers, and the record of the loss is right or says "unknown".

OUTBOX_FLIPS=all goes through all 327,680 bits of ten pages, which takes twelve minutes of one core; without it, every eighth.
"""

import os
import tempfile
from pathlib import Path

import pytest

from scraper.outbox.schema import PAGE_BYTES
from tests.scraper.outbox.flips import PAGES, find_broken_promises, make_ten_pages, restart_after_flip

IS_THOROUGH = os.environ.get("OUTBOX_FLIPS") == "all"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_ten_pages(tmp_path_factory.mktemp("original") / "state" / "outbox.sqlite")


@pytest.fixture
def directory():
    """Where each flip is tried: in memory if there is such a place, because each start waits for the disk many times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


def choose_bits(page: int) -> list[int]:
    """All bits of a page, or one in each byte, another one each time."""
    bits = range(page * PAGE_BYTES * 8, (page + 1) * PAGE_BYTES * 8)
    return list(bits) if IS_THOROUGH else [8 * byte + 5 * byte % 8 for byte in range(bits[0] // 8, bits[-1] // 8 + 1)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", range(PAGES))
def test_no_flipped_bit_stops_the_start_or_the_delivery(original, directory, page):
    broken = {}
    for bit in choose_bits(page):
        try:
            promises = find_broken_promises(original, restart_after_flip(original, directory, bit))
        except Exception as error:  # noqa: BLE001 (all of them are told, not the first alone)
            promises = [f"it never fails with {type(error).__name__}: {error}"]
        if promises:
            broken[divmod(bit, 8)] = promises
    assert broken == {}

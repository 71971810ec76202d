"""Which hosts are this machine."""

import pytest

from scraper.addresses import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_this_machine(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.1",
        "10.0.0.1",
        "fd00::1",
        "",
    ],
)
def test_another_machine(host: str):
    assert not is_loopback(host)

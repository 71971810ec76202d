"""Secrets that can be guessed are refused by both halves, with the remedy."""

import secrets

import pytest

from shared.secret_strength import find_weakness


@pytest.mark.parametrize("make", [lambda: secrets.token_hex(32), lambda: secrets.token_urlsafe(32)])
def test_random_secrets_are_good(make):
    assert all(find_weakness(make().encode()) is None for _ in range(200))


@pytest.mark.parametrize(
    "weak",
    ["x" * 64, "ab" * 32, "0123456789" * 5, "password" * 4, "changeme-changeme-changeme-changeme-", "0" * 63 + "1"],
)
def test_what_repeats_itself_is_weak(weak):
    assert find_weakness(weak.encode()) == "is easy to guess: it repeats itself"


def test_what_is_short_is_weak():
    assert find_weakness(secrets.token_bytes(31)) == "is shorter than 32 bytes"

"""Secrets that can be guessed are refused by both halves, with the remedy."""

import base64
import random
import secrets
import string

import pytest

from receiver.settings.declarations import DEMO_SECRET
from shared.secret_strength import find_weakness

_PASTED = string.ascii_letters + string.digits + string.punctuation


@pytest.mark.parametrize("make", [lambda: secrets.token_hex(32), lambda: secrets.token_urlsafe(32)])
def test_random_secrets_are_good(make):
    assert all(find_weakness(make().encode()) is None for _ in range(200))


def test_no_random_secret_of_the_documented_length_is_refused():
    """`openssl rand -hex 32` and `-base64 32`, and what password managers make of 32 characters."""
    source = random.Random(20_261_128)
    for _ in range(2_000):
        data = source.randbytes(32)
        pasted = "".join(source.choices(_PASTED, k=32))
        for text in (data.hex(), data[:16].hex(), base64.b64encode(data).decode(), pasted):
            assert find_weakness(text.encode()) is None


@pytest.mark.parametrize(
    "weak",
    ["x" * 64, "ab" * 32, "0123456789" * 5, "password" * 4, "changeme-changeme-changeme-changeme-", "0" * 63 + "1"],
)
def test_what_repeats_itself_is_weak(weak):
    assert find_weakness(weak.encode()) == "is easy to guess: it repeats itself"


@pytest.mark.parametrize(
    "weak",
    [
        "change-me-to-something-long-and-random",
        "change-me-change-me-please-change-me",
        "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME!",
        "replace-this-with-a-long-random-string!!",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "9876543210zyxwvutsrqponmlkjihgfedcba",
        "qwertyuiopasdfghjklzxcvbnm1234567890",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
        "password password password password!",
        "Password1Password2Password3Password4",
        "kitten1kitten2kitten3kitten4kitten5kitten6",
        "0123456789abcdef0123456789abcdef0123456789abcdee",
    ],
)
def test_words_walks_and_repetitions_are_weak(weak):
    assert "is easy to guess" in (find_weakness(weak.encode()) or "")


@pytest.mark.parametrize("good", ["glider unmixed tapeless overreact mutt vowed", DEMO_SECRET.decode()])
def test_some_words_that_were_drawn_are_good(good):
    assert find_weakness(good.encode()) is None


def test_what_is_short_is_weak():
    assert find_weakness(secrets.token_bytes(31)) == "is shorter than 32 bytes"

"""The key line that people copy from one machine to the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import keys


@given(st.binary(min_size=32, max_size=32).filter(lambda raw: not keys._has_small_order(raw)))
def test_a_line_is_read_as_it_was_printed(raw):
    key = keys.PublicKey(raw, "122012345678")
    assert keys.parse(str(key)) == key


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("", "must be"),
        ("ssh-ed25519 AAAA me", "must be"),
        ("envoy-relay-key ed25519 AAAA 122012345678", "cut short"),
        ("envoy-relay-key ed25519 !!!! 122012345678", "cut short"),
        ("envoy-relay-key ed25519 " + "B" * 42 + "A ../etc", "serial"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(line, hint):
    with pytest.raises(ValueError, match=hint):
        keys.parse(line)

"""What a token says about itself, which one is used, and where it is kept."""

import base64
import contextlib
import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.gateway.tokens import TokenCache, explain_refusal, find_best, parse_token
from shared.units import DAY_S
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.gateway.fake_tokens import SERIAL, make_token


def test_claims_are_read_without_trust():
    """Gateway, role and dates; the token itself stays out of sight."""
    text = make_token(role="installer", lifetime_s=43200, issued_s=GATEWAY_NOW_S)
    token = parse_token(f"\n {text} \n")
    assert (token.raw, token.serial, token.role, token.expires_s) == (text, SERIAL, "installer", GATEWAY_NOW_S + 43200)
    assert token.short_lived
    assert text not in repr(token)


def test_both_reply_shapes_are_read():
    """Bare, or in JSON as a published transcript shows it."""
    text = make_token()
    assert parse_token(json.dumps({"generation_time": 1, "token": text, "expires_at": 2})) == parse_token(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a gateway token"),
        ("hello", "not a gateway token"),
        ("a.b.c", "not a gateway token"),
        ("<html>a.b.c</html>", "not a gateway token"),
        (make_token() + "\r\nX-Evil: 1", "not a gateway token"),
        ("e" * 9000 + ".e.e", "not a gateway token"),
        ('{"message": "Failed to generate token"}', "it says: Failed to generate token"),
        ('{"x": 1}', "without a token"),
        ('{"token"', "neither"),
        ('{"token": "a.b.c"}', "not a gateway token"),
    ],
)
def test_anything_else_is_no_token(text, reason):
    """The message says what it is instead, and quotes no token."""
    with pytest.raises(ValueError, match=reason) as refused:
        parse_token(text)
    assert make_token() not in str(refused.value)


@given(st.text())
def test_no_text_breaks_the_parser(text):
    """A token, or a ValueError."""
    with contextlib.suppress(ValueError):
        assert parse_token(text).raw in text


@pytest.mark.parametrize(
    ("claims", "readable"),
    [
        ({"exp": "never"}, False),
        ({"exp": 10**30}, False),
        ({"exp": [1]}, False),
        ({"exp": None, "aud": ["a"], "enphaseUser": 7}, True),
        ({}, True),
    ],
)
def test_odd_claims_do_no_harm(claims, readable):
    """Of the wrong type: no token, or one that says nothing about itself."""
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "ES256"}, claims)
    )
    text = ".".join([*parts, "c2ln"])
    if not readable:
        with pytest.raises(ValueError, match="not a gateway token"):
            parse_token(text)
        return
    token = parse_token(text)
    assert (token.serial, token.role, token.expires_s) == ("", "", 0)


def test_the_reason_of_a_refusal_is_told():
    """Foreign, expired, or neither."""
    foreign = parse_token(make_token("999999999999"))
    expired = parse_token(make_token(issued_s=GATEWAY_NOW_S - 2 * DAY_S, lifetime_s=DAY_S))
    assert (
        explain_refusal(foreign, SERIAL, GATEWAY_NOW_S)
        == "this token is for gateway 999999999999, yours is 122012345678"
    )
    assert explain_refusal(expired, SERIAL, GATEWAY_NOW_S) == "the token expired on 2024-06-11 17:28 UTC"
    assert "revoked" in explain_refusal(parse_token(make_token()), SERIAL, GATEWAY_NOW_S)


@pytest.mark.parametrize(
    ("lifetime_s", "left_s", "due"),
    [
        (365 * DAY_S, 31 * DAY_S, False),
        (365 * DAY_S, 29 * DAY_S, True),
        (12 * 3600, 3700, False),
        (12 * 3600, 3500, True),
    ],
)
def test_renewal_is_due_a_month_or_an_hour_before_the_end(lifetime_s, left_s, due):
    """Owner tokens live a year, installer tokens twelve hours."""
    token = parse_token(make_token(issued_s=GATEWAY_NOW_S, lifetime_s=lifetime_s))
    assert token.needs_renewal(GATEWAY_NOW_S + lifetime_s - left_s) is due


def test_the_later_expiry_wins():
    """Of pasted and kept."""
    early, late = (parse_token(make_token(lifetime_s=days * DAY_S)) for days in (10, 20))
    assert find_best([late, early]) is find_best([early, late]) is late
    assert find_best([]) is None


def test_the_kept_token_is_the_owners_alone(tmp_path):
    """0600 in 0700, by serial; a file that others can read is not used, and is written again."""
    cache, token = TokenCache(tmp_path / "state"), parse_token(make_token())
    assert cache.load(SERIAL) is None
    cache.save(SERIAL, token)
    path = tmp_path / "state" / "tokens" / f"{SERIAL}.jwt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert cache.load(SERIAL) == token
    assert cache.load("100000000000") is None
    path.chmod(0o644)
    assert cache.load(SERIAL) is None
    cache.save(SERIAL, token)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_serial_cannot_lead_out_of_the_directory(tmp_path):
    """It comes from the network."""
    with pytest.raises(ValueError, match="serial"):
        TokenCache(tmp_path).save("../evil", parse_token(make_token()))

"""The tokens that the scraper mints, and the delays between tries."""

import jwt
import pytest

from scraper.errors import ScraperSettingError
from scraper.uplink.edge_key import EdgeKey
from scraper.uplink.signer import LIFETIME_S, HouseholdSecret, Signer

SECRET = "s" * 32
SERIAL = "122012345678"


def decode(token):
    return jwt.decode(
        token,
        SECRET,
        algorithms=["HS256"],
        audience="envoy-receiver",
        options={"verify_exp": False, "verify_iat": False},
    )


def test_a_token_says_who_sends_for_which_gateway_and_is_short_lived():
    claims = decode(Signer(HouseholdSecret(SECRET), SERIAL).get_token(1_000_000))
    assert claims == {
        "iss": "envoy-scraper",
        "aud": "envoy-receiver",
        "sub": SERIAL,
        "scope": "ingest",
        "iat": 1_000_000,
        "exp": 1_000_000 + LIFETIME_S,
    }


def test_a_token_is_reused_while_it_is_good_and_replaced_before_its_end():
    signer = Signer(HouseholdSecret(SECRET), SERIAL)
    first = signer.get_token(1_000)
    assert signer.get_token(1_400) == first
    assert decode(signer.get_token(1_500))["exp"] == 1_500 + LIFETIME_S


def test_a_host_clock_that_steps_back_gets_a_new_token():
    signer = Signer(HouseholdSecret(SECRET), SERIAL)
    signer.get_token(1_000_000)
    assert decode(signer.get_token(900_000))["iat"] == 900_000


def test_a_refused_token_is_minted_again_on_the_receivers_clock():
    """A host whose clock is off by a day still delivers."""
    signer = Signer(HouseholdSecret(SECRET), SERIAL)
    signer.get_token(1_000_000)
    signer.renew(now_s=1_000_000, receiver_now_s=1_086_400)
    assert decode(signer.get_token(1_000_001))["iat"] == 1_086_401


def test_the_edge_key_is_made_once_and_private(tmp_path):
    path = tmp_path / "state" / "key"
    key = EdgeKey.load_or_make(path)
    assert EdgeKey.load_or_make(path).key_id == key.key_id
    assert path.stat().st_mode & 0o777 == 0o600
    token = Signer(key, SERIAL).get_token(1_000)
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": key.key_id}


def test_a_missing_key_says_what_to_do(tmp_path):
    with pytest.raises(ScraperSettingError, match="envoy-scraper key"):
        EdgeKey.load(tmp_path / "key")


def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "key"
    EdgeKey.load_or_make(path)
    path.chmod(0o644)
    with pytest.raises(ScraperSettingError, match="chmod 600"):
        EdgeKey.load(path)


@pytest.mark.parametrize(("told_s", "issued_s"), [(4_102_444_800, 1_000_000), (1_003_600, 1_003_600), (0, 1_000_000)])
def test_a_time_that_cannot_be_is_not_believed(told_s, issued_s):
    """A token signed in 2100 would be good in 2100 for the server that gave that time."""
    signer = Signer(HouseholdSecret(SECRET), SERIAL)
    signer.renew(now_s=1_000_000, receiver_now_s=told_s)
    assert jwt.decode(signer.get_token(1_000_000), options={"verify_signature": False})["iat"] == issued_s

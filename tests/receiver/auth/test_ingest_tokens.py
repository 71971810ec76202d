"""Tokens of senders: one algorithm per key, strict claims, and one answer to everything that is not good."""

import json
from typing import Any

import pytest

from tests.receiver.auth.forged_tokens import BODY, HEADER, NOW, forge
from tests.receiver.service import GATEWAY, Service, assert_problem, make_ingest_claims, sign

MISSING = object()


def test_the_forger_of_this_file_can_make_a_good_token():
    """Else the refusals below would prove nothing."""
    assert forge(HEADER).count(".") == 2


async def test_a_forged_token_that_is_right_in_everything_is_taken(service: Service):
    assert (await service.post(BODY, token=forge(HEADER))).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Basic YTpi",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "bearer ..",
        "Bearer " + "a" * 5000 + ".b.c",
    ],
)
async def test_what_is_no_token_is_unauthorised(service: Service, authorization: str):
    answer = await service.post(BODY, token="", headers={"authorization": authorization} if authorization else {})
    assert_problem(answer, 401, "unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_header_of_other_bytes_is_unauthorised(service: Service):
    answer = await service.client.post(
        f"/api/v1/gateways/{GATEWAY}/batches", content=BODY, headers=[(b"authorization", b"Bearer \xff\xfe.\x80.b")]
    )
    assert_problem(answer, 401, "unauthorised")


async def test_two_tokens_are_unauthorised(service: Service):
    header = ("authorization", f"Bearer {sign(make_ingest_claims())}")
    answer = await service.client.post(f"/api/v1/gateways/{GATEWAY}/batches", content=BODY, headers=[header, header])
    assert_problem(answer, 401, "unauthorised")


async def test_a_token_in_the_query_is_no_token(service: Service):
    path = f"/api/v1/gateways/{GATEWAY}/batches?token={sign(make_ingest_claims())}&access_token={sign(make_ingest_claims())}"
    assert_problem(await service.client.post(path, content=BODY), 401, "unauthorised")


HEADERS = {
    "alg none": {**HEADER, "alg": "none"},
    "alg in another case": {**HEADER, "alg": "hs256"},
    "alg of another key": {**HEADER, "alg": "EdDSA"},
    "a longer hash": {**HEADER, "alg": "HS512"},
    "no alg": {"typ": "JWT", "kid": "secret"},
    "no typ": {"alg": "HS256", "kid": "secret"},
    "no kid": {"alg": "HS256", "typ": "JWT"},
    "typ of another token": {**HEADER, "typ": "at+jwt"},
    "unknown kid": {**HEADER, "kid": "nobody"},
    "kid as a path": {**HEADER, "kid": "../../dev/null"},
    "kid as a list": {**HEADER, "kid": ["secret"]},
    "kid null": {**HEADER, "kid": None},
    "crit": {**HEADER, "crit": ["exp"]},
    "b64 false": {**HEADER, "crit": ["b64"], "b64": False},
    "jku": {**HEADER, "jku": "http://127.0.0.1/keys"},
    "x5u": {**HEADER, "x5u": "http://127.0.0.1/certificate"},
    "jwk": {**HEADER, "jwk": {"kty": "oct", "k": "AAAA"}},
    "a list": [HEADER],
    "a string": "HS256",
    "duplicate alg": b'{"alg":"none","alg":"HS256","typ":"JWT","kid":"secret"}',
    "duplicate kid": b'{"kid":"nobody","alg":"HS256","typ":"JWT","kid":"secret"}',
    "nested deeply": b'{"alg":' + b"[" * 2500,
    "a number of 3,000 digits": b'{"alg":' + b"9" * 2900 + b"}",
    "surrogates": b'{"alg":"HS256","typ":"JWT","kid":"\\ud800"}',
    "not UTF-8": b'{"alg":"HS256","typ":"JWT","kid":"\xff"}',
    "not JSON": b"HS256",
}


@pytest.mark.parametrize("name", HEADERS)
async def test_headers_that_are_not_ours_are_unauthorised(service: Service, name: str):
    assert_problem(await service.post(BODY, token=forge(HEADERS[name])), 401, "unauthorised")


CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"iat": NOW - 700, "exp": NOW - 100},
    "exp missing": {"exp": MISSING},
    "exp as text": {"exp": str(NOW + 300)},
    "exp as a fraction": {"exp": NOW + 300.5},
    "exp true": {"exp": True},
    "exp null": {"exp": None},
    "exp a century away": {"exp": NOW + 3_155_760_000},
    "exp a second too far": {"exp": NOW + 601},
    "exp before iat": {"iat": NOW + 20, "exp": NOW + 10},
    "exp of 1,000 digits": {"exp": 10**1000},
    "iat missing": {"iat": MISSING},
    "iat in the future": {"iat": NOW + 120, "exp": NOW + 600},
    "iat as text": {"iat": str(NOW)},
    "nbf in the future": {"nbf": NOW + 120},
    "nbf as text": {"nbf": "now"},
    "aud of somebody else": {"aud": "grafana"},
    "aud as a list of others": {"aud": ["envoy-receivers", "grafana"]},
    "aud as an empty list": {"aud": []},
    "aud as a list of lists": {"aud": [["envoy-receiver"]]},
    "aud missing": {"aud": MISSING},
    "iss of somebody else": {"iss": "envoy-receiver"},
    "iss missing": {"iss": MISSING},
    "sub missing": {"sub": MISSING},
    "sub empty": {"sub": ""},
    "sub as a number": {"sub": 122300001234},
    "scope of a reader": {"scope": "read"},
    "scope missing": {"scope": MISSING},
    "two scopes": {"scope": "ingest read"},
}


@pytest.mark.parametrize("name", CLAIMS)
async def test_claims_that_are_not_ours_are_unauthorised(service: Service, name: str):
    claims = {key: value for key, value in {**make_ingest_claims(), **CLAIMS[name]}.items() if value is not MISSING}
    assert_problem(await service.post(BODY, token=forge(HEADER, claims)), 401, "unauthorised")


@pytest.mark.parametrize("claim", ["sub", "exp", "aud"])
async def test_duplicate_claims_are_unauthorised(service: Service, claim: str):
    """Two readers could take different values for it."""
    good = json.dumps(make_ingest_claims())
    claims = f'{{"{claim}":"x",{good[1:]}'.encode()
    assert_problem(await service.post(BODY, token=forge(HEADER, claims)), 401, "unauthorised")


async def test_another_signature_is_unauthorised(service: Service):
    assert_problem(await service.post(BODY, token=forge(HEADER, key=b"x" * 32)), 401, "unauthorised")
    assert_problem(await service.post(BODY, token=forge(HEADER).rsplit(".", 1)[0] + ".AAAA"), 401, "unauthorised")


async def test_clocks_may_differ_by_a_minute(service: Service):
    for shift in (-659, 59):
        claims = {**make_ingest_claims(), "iat": NOW + shift, "exp": NOW + shift + 600}
        assert (await service.post(BODY, token=sign(claims))).status_code == 200


async def test_a_refusal_tells_the_time(service: Service):
    """A scraper whose clock is wrong mints its next token by the Date of this answer."""
    answer = await service.post(BODY, token="")
    assert answer.status_code == 401
    assert answer.headers["date"].endswith("GMT")


async def test_a_remembered_token_still_expires(service: Service):
    token = sign(make_ingest_claims())
    assert (await service.post(BODY, token=token)).status_code == 200
    service.clock.advance(661)
    assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_the_token_comes_before_the_body(service: Service):
    """Without a token nothing of the body is read: the refusal comes while the body is still on its way."""
    refused = False

    async def send_body():
        yield b"{"
        while not service.read_metric("receiver_problems_total", code="unauthorised"):
            await service.client.get("/healthz")
        nonlocal refused
        refused = True

    answer = await service.client.post(f"/api/v1/gateways/{GATEWAY}/batches", content=send_body())
    assert_problem(answer, 401, "unauthorised")
    assert refused

"""Tokens of senders: one algorithm per key, strict claims, and one answer to everything that is not good."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.receiver.service import (
    GATEWAY,
    NOW_MS,
    OTHER,
    READ_SECRET,
    SECRET,
    Service,
    assert_problem,
    batch,
    ingest_claims,
    meter,
    public_half,
    read_claims,
    sign,
)

NOW = NOW_MS // 1000
BODY = batch(meter())
MISSING = object()


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def forged(header: Any, claims: Any = None, *, key: bytes = SECRET) -> str:
    """A token with a good HS256 signature over any bytes at all."""
    import hashlib  # noqa: PLC0415 (forging is the only use)
    import hmac  # noqa: PLC0415

    signed = f"{part(header)}.{part(ingest_claims() if claims is None else claims)}"
    return f"{signed}.{part(hmac.digest(key, signed.encode(), hashlib.sha256))}"


HEADER = {"alg": "HS256", "typ": "JWT", "kid": "secret"}


def test_the_forger_of_this_file_can_make_a_good_token():
    """Else the refusals below would prove nothing."""
    assert forged(HEADER).count(".") == 2


async def test_a_forged_token_that_is_right_in_everything_is_taken(service: Service):
    assert (await service.post(BODY, token=forged(HEADER))).status_code == 200


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
    header = ("authorization", f"Bearer {sign(ingest_claims())}")
    answer = await service.client.post(f"/api/v1/gateways/{GATEWAY}/batches", content=BODY, headers=[header, header])
    assert_problem(answer, 401, "unauthorised")


async def test_a_token_in_the_query_is_no_token(service: Service):
    path = f"/api/v1/gateways/{GATEWAY}/batches?token={sign(ingest_claims())}&access_token={sign(ingest_claims())}"
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
    assert_problem(await service.post(BODY, token=forged(HEADERS[name])), 401, "unauthorised")


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
    "aud as a list": {"aud": ["envoy-receiver"]},
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
    claims = {key: value for key, value in {**ingest_claims(), **CLAIMS[name]}.items() if value is not MISSING}
    assert_problem(await service.post(BODY, token=forged(HEADER, claims)), 401, "unauthorised")


@pytest.mark.parametrize("claim", ["sub", "exp", "aud"])
async def test_duplicate_claims_are_unauthorised(service: Service, claim: str):
    """Two readers could take different values for it."""
    good = json.dumps(ingest_claims())
    claims = f'{{"{claim}":"x",{good[1:]}'.encode()
    assert_problem(await service.post(BODY, token=forged(HEADER, claims)), 401, "unauthorised")


async def test_another_signature_is_unauthorised(service: Service):
    assert_problem(await service.post(BODY, token=forged(HEADER, key=b"x" * 32)), 401, "unauthorised")
    assert_problem(await service.post(BODY, token=forged(HEADER).rsplit(".", 1)[0] + ".AAAA"), 401, "unauthorised")


async def test_clocks_may_differ_by_a_minute(service: Service):
    for shift in (-659, 59):
        claims = {**ingest_claims(), "iat": NOW + shift, "exp": NOW + shift + 600}
        assert (await service.post(BODY, token=sign(claims))).status_code == 200


async def test_a_refusal_tells_the_time(service: Service):
    """A scraper whose clock is wrong mints its next token by the Date of this answer."""
    answer = await service.post(BODY, token="")
    assert answer.status_code == 401
    assert answer.headers["date"].endswith("GMT")


async def test_a_remembered_token_still_expires(service: Service):
    token = sign(ingest_claims())
    assert (await service.post(BODY, token=token)).status_code == 200
    service.clock.advance(661)
    assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_the_token_comes_before_the_body(service: Service):
    """Without a token nothing of the body is read: the refusal comes while the body is still on its way."""
    refused = False

    async def body():
        yield b"{"
        while not service.metric("receiver_problems_total", code="unauthorised"):
            await service.client.get("/healthz")
        nonlocal refused
        refused = True

    answer = await service.client.post(f"/api/v1/gateways/{GATEWAY}/batches", content=body())
    assert_problem(answer, 401, "unauthorised")
    assert refused


async def test_an_edge_key_writes_for_its_gateway_only(service: Service):
    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)
    service.clock.advance(30)
    token = sign(ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
    assert (await service.post(BODY, token=token)).status_code == 200
    assert_problem(await service.post(BODY, token=token, serial=OTHER), 403, "forbidden")
    foreign = sign(ingest_claims(service.clock.ms, serial=OTHER), private, kid=kid, alg="EdDSA")
    assert_problem(await service.post(BODY, token=foreign, serial=OTHER), 403, "forbidden")


async def test_hs256_signed_with_a_public_key_is_unauthorised(service: Service):
    """Everybody knows a public key; one algorithm per key keeps it from being a secret."""
    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)
    service.clock.advance(30)
    raw = public_half(private).raw
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for key in (raw, pem, b""):
        token = forged({**HEADER, "kid": kid}, ingest_claims(service.clock.ms), key=key)
        assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_a_key_under_the_id_of_another_is_unauthorised(service: Service):
    service.add_key(Ed25519PrivateKey.generate())
    stranger = Ed25519PrivateKey.generate()
    service.clock.advance(30)
    for kid in ("secret", "read", "0" * 16):
        token = sign(ingest_claims(service.clock.ms), stranger, kid=kid, alg="EdDSA")
        assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_a_revoked_key_is_out_within_thirty_seconds(service: Service):
    """Although its token has not expired and was taken a moment ago."""
    from receiver.auth import keys_file  # noqa: PLC0415 (what the command calls)

    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)
    service.clock.advance(30)
    token = sign(ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
    assert (await service.post(BODY, token=token)).status_code == 200
    keys_file.revoke(service.settings.keys_file, kid)
    service.clock.advance(30)
    assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_keys_rotate_with_an_overlap(service: Service):
    """The new key comes in while the old one still counts: nothing is lost."""
    from receiver.auth import keys_file  # noqa: PLC0415

    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    ids = [service.add_key(old), service.add_key(new)]
    service.clock.advance(30)
    for private, kid in zip((old, new), ids, strict=True):
        token = sign(ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
        assert (await service.post(BODY, token=token)).status_code == 200
    keys_file.revoke(service.settings.keys_file, ids[0])
    service.clock.advance(30)
    token = sign(ingest_claims(service.clock.ms), new, kid=ids[1], alg="EdDSA")
    assert (await service.post(BODY, token=token)).status_code == 200


async def test_a_serial_that_the_secret_is_not_for_is_forbidden(service: Service):
    token = sign(ingest_claims(serial="999"))
    assert_problem(await service.post(BODY, token=token, serial="999"), 403, "forbidden")


async def test_the_path_cannot_name_another_gateway(service: Service):
    token = sign(ingest_claims(serial=GATEWAY))
    for serial in (OTHER, GATEWAY.lower() + "x", f"{GATEWAY}%00", f"{GATEWAY}%2F", "%2e%2e", "\u0661"):
        answer = await service.post(BODY, token=token, serial=serial)
        assert answer.status_code in (403, 404)
        assert await service.receiver.store.count() == 0


async def test_a_read_token_cannot_write(service: Service):
    token = sign(read_claims(), READ_SECRET, kid="read")
    assert_problem(await service.post(BODY, token=token), 403, "forbidden")


async def test_the_household_secret_signs_no_read_token(service: Service):
    for claims in (read_claims(), {**read_claims(), "iss": "envoy-scraper", "sub": GATEWAY}):
        assert_problem(await service.get("/api/v1/gateways", token=sign(claims)), 401, "unauthorised")


async def test_the_reader_key_signs_no_ingest_token(service: Service):
    token = sign(ingest_claims(), READ_SECRET, kid="read")
    assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_a_flood_of_unknown_key_ids_leaves_nothing_behind(service: Service):
    """Nothing is fetched, nothing remembered, and the good sender goes on."""
    for number in range(300):
        assert (await service.post(BODY, token=forged({**HEADER, "kid": f"kid{number}"}))).status_code == 401
    assert len(service.receiver.gate._known) == 0
    assert (await service.post(BODY)).status_code == 200


async def test_refusals_look_the_same_whatever_the_reason(service: Service):
    """Unknown, revoked and wrongly signed cannot be told apart by the answer."""
    answers = [
        await service.post(BODY, token=forged({**HEADER, "kid": "nobody"})),
        await service.post(BODY, token=forged(HEADER, key=b"x" * 32)),
        await service.post(BODY, token=forged(HEADER, {**ingest_claims(), "exp": NOW - 100, "iat": NOW - 200})),
        await service.post(BODY, token=""),
    ]
    documents = [{**answer.json(), "request_id": ""} for answer in answers]
    assert all(document == documents[0] for document in documents)
    assert {frozenset(answer.headers) for answer in answers} == {frozenset(answers[0].headers)}


fuzz = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def refused(service: Service, header: str) -> bool:
    """Whether the gate refuses with 401 and nothing else happens."""
    from receiver.errors import RefusedError  # noqa: PLC0415

    try:
        service.receiver.gate.authenticate([header])
    except RefusedError as error:
        return error.problem == "unauthorised"
    return False


@fuzz
@given(header=st.text(max_size=200) | st.text(max_size=100).map(lambda text: f"Bearer {text}"))
async def test_any_text_for_a_token_is_refused(service: Service, header: str):
    assert refused(service, header)


@fuzz
@given(header=anything | st.binary(max_size=60), claims=anything | st.binary(max_size=60))
async def test_any_json_in_a_signed_token_is_refused(service: Service, header: Any, claims: Any):
    assert refused(service, "Bearer " + forged(header))
    assert refused(service, "Bearer " + forged(HEADER, claims if claims is not None else []))


@fuzz
@given(claim=st.sampled_from(["iss", "aud", "sub", "scope", "iat", "exp", "nbf"]), value=anything)
async def test_any_value_of_a_claim_is_judged(service: Service, claim: str, value: Any):
    """Refused, or a caller: never an unexpected error."""
    token = forged(HEADER, {**ingest_claims(), claim: value})
    if not refused(service, f"Bearer {token}"):
        assert service.receiver.gate.authenticate([f"Bearer {token}"]).scope == "ingest"

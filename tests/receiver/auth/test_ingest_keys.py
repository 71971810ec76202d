"""Keys of senders: each writes for its own gateway, in its own algorithm, until it is revoked."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.receiver.auth.forged_tokens import BODY, HEADER, NOW, forge
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    assert_problem,
    make_ingest_claims,
    make_public_key,
    make_read_claims,
    sign,
)


async def test_an_edge_key_writes_for_its_gateway_only(service: Service):
    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)
    service.clock.advance(30)
    token = sign(make_ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
    assert (await service.post(BODY, token=token)).status_code == 200
    assert_problem(await service.post(BODY, token=token, serial=OTHER), 403, "forbidden")
    foreign = sign(make_ingest_claims(service.clock.ms, serial=OTHER), private, kid=kid, alg="EdDSA")
    assert_problem(await service.post(BODY, token=foreign, serial=OTHER), 403, "forbidden")


async def test_hs256_signed_with_a_public_key_is_unauthorised(service: Service):
    """Everybody knows a public key; one algorithm per key keeps it from being a secret."""
    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)
    service.clock.advance(30)
    raw = make_public_key(private).raw
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for key in (raw, pem, b""):
        token = forge({**HEADER, "kid": kid}, make_ingest_claims(service.clock.ms), key=key)
        assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_a_key_under_the_id_of_another_is_unauthorised(service: Service):
    service.add_key(Ed25519PrivateKey.generate())
    stranger = Ed25519PrivateKey.generate()
    service.clock.advance(30)
    for kid in ("secret", "read", "0" * 16):
        token = sign(make_ingest_claims(service.clock.ms), stranger, kid=kid, alg="EdDSA")
        assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_a_revoked_key_is_out_within_thirty_seconds(service: Service):
    """Although its token has not expired and was taken a moment ago."""
    from receiver.auth import keys_file  # noqa: PLC0415 (what the command calls)

    private = Ed25519PrivateKey.generate()
    kid = service.add_key(private)
    service.clock.advance(30)
    token = sign(make_ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
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
        token = sign(make_ingest_claims(service.clock.ms), private, kid=kid, alg="EdDSA")
        assert (await service.post(BODY, token=token)).status_code == 200
    keys_file.revoke(service.settings.keys_file, ids[0])
    service.clock.advance(30)
    token = sign(make_ingest_claims(service.clock.ms), new, kid=ids[1], alg="EdDSA")
    assert (await service.post(BODY, token=token)).status_code == 200


async def test_a_serial_that_the_secret_is_not_for_is_forbidden(service: Service):
    token = sign(make_ingest_claims(serial="999"))
    assert_problem(await service.post(BODY, token=token, serial="999"), 403, "forbidden")


async def test_the_path_cannot_name_another_gateway(service: Service):
    token = sign(make_ingest_claims(serial=GATEWAY))
    for serial in (OTHER, GATEWAY.lower() + "x", f"{GATEWAY}%00", f"{GATEWAY}%2F", "%2e%2e", "\u0661"):
        answer = await service.post(BODY, token=token, serial=serial)
        assert answer.status_code in (403, 404)
        assert await service.receiver.store.count() == 0


async def test_a_read_token_cannot_write(service: Service):
    token = sign(make_read_claims(), READ_SECRET, kid="read")
    assert_problem(await service.post(BODY, token=token), 403, "forbidden")


async def test_the_household_secret_signs_no_read_token(service: Service):
    for claims in (make_read_claims(), {**make_read_claims(), "iss": "envoy-scraper", "sub": GATEWAY}):
        assert_problem(await service.get("/api/v1/gateways", token=sign(claims)), 401, "unauthorised")


async def test_the_reader_key_signs_no_ingest_token(service: Service):
    token = sign(make_ingest_claims(), READ_SECRET, kid="read")
    assert_problem(await service.post(BODY, token=token), 401, "unauthorised")


async def test_a_flood_of_unknown_key_ids_leaves_nothing_behind(service: Service):
    """Nothing is fetched, nothing remembered, and the good sender goes on."""
    for number in range(300):
        assert (await service.post(BODY, token=forge({**HEADER, "kid": f"kid{number}"}))).status_code == 401
    assert len(service.receiver.gate._known) == 0
    assert (await service.post(BODY)).status_code == 200


async def test_refusals_look_the_same_whatever_the_reason(service: Service):
    """Unknown, revoked and wrongly signed cannot be told apart by the answer."""
    answers = [
        await service.post(BODY, token=forge({**HEADER, "kid": "nobody"})),
        await service.post(BODY, token=forge(HEADER, key=b"x" * 32)),
        await service.post(BODY, token=forge(HEADER, {**make_ingest_claims(), "exp": NOW - 100, "iat": NOW - 200})),
        await service.post(BODY, token=""),
    ]
    documents = [{**answer.json(), "request_id": ""} for answer in answers]
    assert all(document == documents[0] for document in documents)
    assert {frozenset(answer.headers) for answer in answers} == {frozenset(answers[0].headers)}

"""Tokens of senders with anything in them: refused, or a caller, never an unexpected error."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.receiver.auth.forged_tokens import HEADER, forge
from tests.receiver.service import Service, make_ingest_claims

fuzz = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def is_refused(service: Service, header: str) -> bool:
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
    assert is_refused(service, header)


@fuzz
@given(header=anything | st.binary(max_size=60), claims=anything | st.binary(max_size=60))
async def test_any_json_in_a_signed_token_is_refused(service: Service, header: Any, claims: Any):
    assert is_refused(service, "Bearer " + forge(header))
    assert is_refused(service, "Bearer " + forge(HEADER, claims if claims is not None else []))


@fuzz
@given(claim=st.sampled_from(["iss", "aud", "sub", "scope", "iat", "exp", "nbf"]), value=anything)
async def test_any_value_of_a_claim_is_judged(service: Service, claim: str, value: Any):
    """Refused, or a caller: never an unexpected error."""
    token = forge(HEADER, {**make_ingest_claims(), claim: value})
    if not is_refused(service, f"Bearer {token}"):
        assert service.receiver.gate.authenticate([f"Bearer {token}"]).scope == "ingest"

"""A receiver with a name takes tokens for that name alone; one without takes those for any receiver."""

import jwt
import pytest
from typer.testing import CliRunner

from receiver.cli import app
from tests.receiver import service as receiver
from tests.receiver.service import (
    READ_SECRET,
    Service,
    make_batch,
    make_ingest_claims,
    make_meter,
    make_read_claims,
    sign,
)

NAME = "https://solar.example.org"
OTHER_NAME = "https://evil.example.org"


@pytest.fixture
async def named(tmp_path):
    async with receiver.start(tmp_path, name=NAME) as running:
        yield running


async def post(service: Service, audience: object) -> int:
    answer = await service.post(make_batch(make_meter()), token=sign({**make_ingest_claims(), "aud": audience}))
    return answer.status_code


async def read(service: Service, token: str) -> int:
    return (await service.get("/api/v1/gateways", token=token)).status_code


@pytest.mark.parametrize(
    "audience",
    [
        "envoy-receiver",
        NAME,
        [NAME],
        ["envoy-receiver"],
        ["envoy-receiver", OTHER_NAME],
        ["envoy-receiver", NAME + "/"],
        ["envoy-receiver", NAME.upper()],
        "envoy-receiver " + NAME,
    ],
)
async def test_a_token_for_another_receiver_is_unauthorised(named: Service, audience: object):
    assert await post(named, audience) == 401
    token = sign({**make_read_claims(), "aud": audience}, READ_SECRET, kid="read")
    assert await read(named, token) == 401


async def test_a_token_for_this_receiver_is_good(named: Service):
    assert await post(named, ["envoy-receiver", NAME]) == 200
    assert (
        await read(named, sign({**make_read_claims(), "aud": ["envoy-receiver", NAME]}, READ_SECRET, kid="read")) == 200
    )


async def test_without_a_name_the_constant_alone_or_in_a_list_is_good(tmp_path):
    async with receiver.start(tmp_path) as service:
        assert await post(service, "envoy-receiver") == 200
        assert await post(service, ["envoy-receiver", OTHER_NAME]) == 200
        assert await post(service, [OTHER_NAME]) == 401


@pytest.mark.parametrize("name", [NAME, None])
async def test_a_readers_token_is_good_at_the_receiver_that_made_it_alone(
    tmp_path, monkeypatch: pytest.MonkeyPatch, name: str | None
):
    """The two share RECEIVER_READ_SECRET."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECEIVER_STATE_DIR", str(tmp_path / "maker"))
    monkeypatch.setenv("RECEIVER_READ_SECRET", READ_SECRET.decode())
    if name is not None:
        monkeypatch.setenv("RECEIVER_NAME", name)
    made = CliRunner().invoke(app, ["token", "create", "--gateway", "*"])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    for here, expected in ((name, 200), ("another", 401)):
        async with receiver.start(tmp_path / f"state-{expected}", name=here) as service:
            service.clock.ms = 1000 * (find_issue_s(token) + 1)
            assert await read(service, token) == expected


def find_issue_s(token: str) -> int:
    issued: int = jwt.decode(token, options={"verify_signature": False})["iat"]
    return issued

"""Approval, codes and tokens, strict and lenient, in the words of the documented errors."""

from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from simulator.cloud.oauth import ACCESS_LIFE_S, CODE_LIFE_S, REFRESH_LIFE_S
from tests.cloud_examples import read_example
from tests.simulator.cloud.asking import REDIRECT, run_api

FORM = {"email": "owner@example.com", "password": "sunny-roof"}


def make_query(client, **changes):
    query = {"response_type": "code", "client_id": client.sim.cloud.oauth.application.client_id}
    return query | {"redirect_uri": REDIRECT, "state": "s-1"} | changes


async def test_an_owner_approves_and_the_code_is_good_once():
    async with run_api() as client:
        page = await client.http.get("/oauth/authorize", params=make_query(client))
        assert "<form" in page.text
        sent = await client.http.post("/oauth/authorize", data=make_query(client) | FORM | {"approve": "yes"})
        back = parse_qs(urlsplit(sent.headers["location"]).query)
        assert back["state"] == ["s-1"]
        form = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": REDIRECT}
        pair = (await client.ask_token(**form)).json()
        assert pair.keys() == read_example("oauth-token").keys()
        claims = jwt.decode(pair["refresh_token"], options={"verify_signature": False})
        assert claims["exp"] - int(client.clock.now()) == REFRESH_LIFE_S
        again = await client.ask_token(**form)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_what_is_wrong_with_an_approval():
    """No redirect, a refusal, a wrong password, a stale code, another redirect."""
    async with run_api() as client:
        query = make_query(client)
        del query["redirect_uri"]
        missing = await client.http.get("/oauth/authorize", params=query)
        assert missing.json()["error_description"] == "A redirect_uri must be supplied."
        refused = await client.http.post("/oauth/authorize", data=make_query(client) | FORM | {"approve": "no"})
        assert "error=access_denied" in refused.headers["location"]
        wrong = await client.http.post("/oauth/authorize", data=make_query(client) | FORM | {"password": "x"})
        assert wrong.status_code == 401
        for stale in (False, True):
            code = client.sim.cloud.oauth.issue_code("owner@example.com", REDIRECT)
            client.clock.advance(CODE_LIFE_S if stale else 0)
            redirect = REDIRECT if stale else "https://elsewhere.example/"
            reply = await client.ask_token(grant_type="authorization_code", code=code, redirect_uri=redirect)
            assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("lenient", [False, True])
async def test_a_used_refresh_token_is_dead_or_lives_on(lenient):
    async with run_api() as client:
        if lenient:
            client.sim.faults.switch_on("oauth-lenient")
        first = client.sim.cloud.oauth.issue_pair()["refresh_token"]
        renewed = await client.ask_token(grant_type="refresh_token", refresh_token=first)
        assert renewed.json().keys() == read_example("oauth-token-refreshed").keys()
        again = await client.ask_token(grant_type="refresh_token", refresh_token=first)
        assert again.status_code == (200 if lenient else 400)
        if not lenient:
            assert again.json() == {"error": "invalid_grant", "error_description": f"Invalid refresh token: {first}"}


async def test_tokens_end_by_the_simulated_clock():
    async with run_api() as client:
        pair = client.sim.cloud.oauth.issue_pair()
        client.access = pair["access_token"]
        client.clock.advance(ACCESS_LIFE_S - 1)
        assert (await client.get("systems")).status_code == 200
        client.clock.advance(1)
        assert (await client.get("systems")).json() == read_example("error-401")
        client.clock.advance(REFRESH_LIFE_S - ACCESS_LIFE_S)
        ended = await client.ask_token(grant_type="refresh_token", refresh_token=pair["refresh_token"])
        assert (ended.status_code, ended.json()["error"]) == (401, "invalid_token")
        assert pair["refresh_token"] in ended.json()["error_description"]


async def test_another_program_renews_the_grant():
    async with run_api() as client:
        refresh = client.sim.cloud.oauth.issue_pair()["refresh_token"]
        client.sim.faults.switch_on("oauth-second-refresher")
        assert (await client.ask_token(grant_type="refresh_token", refresh_token=refresh)).status_code == 400


async def test_wrong_keys_and_other_grants_are_refused():
    async with run_api() as client:
        reply = await client.http.post("/oauth/token", data={"grant_type": "refresh_token"}, auth=("a", "b"))
        assert (reply.status_code, reply.json()) == (401, read_example("oauth-error-401-client"))
        assert (await client.ask_token(grant_type="password")).json()["error"] == "unsupported_grant_type"
        client.sim.faults.switch_on("oauth-wrong-client", times=1)
        assert (await client.ask_token(grant_type="refresh_token")).status_code == 401


async def test_a_reply_is_cut_after_the_pair_was_made():
    async with run_api() as client:
        refresh = client.sim.cloud.oauth.issue_pair()["refresh_token"]
        client.sim.faults.switch_on("api-cut", times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.ask_token(grant_type="refresh_token", refresh_token=refresh)
        assert (await client.ask_token(grant_type="refresh_token", refresh_token=refresh)).status_code == 400


async def test_an_approval_that_was_withdrawn_gives_nothing():
    async with run_api() as client:
        client.sim.faults.switch_on("oauth-withdrawn")
        assert (await client.get("systems")).status_code == 401

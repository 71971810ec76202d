"""The session of a browser: a reader token becomes a cookie that reads and does nothing else."""

from http.cookies import SimpleCookie
from typing import Any

import pytest

from receiver.api import session
from receiver.api.access import COOKIE
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    assert_problem,
    make_ingest_claims,
    make_meter,
    make_read_claims,
    sign,
)

SESSION = "/api/v1/session"


def make_read_token(**changes) -> str:
    return sign(make_read_claims(**changes), READ_SECRET, kid="read")


async def begin(service: Service, token: str) -> SimpleCookie:
    answer = await service.client.post(SESSION, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return SimpleCookie(answer.headers["set-cookie"])


async def ask_with_cookie(service: Service, path: str, token: str, method: str = "GET"):
    service.client.cookies.clear()
    return await service.client.request(method, path, headers={b"cookie": f"{COOKIE}={token}".encode()})


async def test_a_reader_token_becomes_a_cookie_that_scripts_and_other_sites_cannot_use(service):
    token = make_read_token(gateways=[GATEWAY])
    cookie = (await begin(service, token))[COOKIE]
    assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["path"]) == (token, True, "strict", "/")
    assert int(cookie["max-age"]) == 86_400, "it ends with the token"
    assert not cookie["secure"], "the browser would not send it back over plain http, as on a laptop"


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_session_knows_no_parameters(service, method: str):
    """The end of a session took any and said 204."""
    headers = {"authorization": f"Bearer {make_read_token()}"}
    answer = await service.client.request(method, f"{SESSION}?canary=value", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "parameter canary is not known here: there are none."
    assert "value" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_the_cookie_reads_what_the_token_may_read(service):
    await service.send(make_meter())
    await service.send(make_meter(), serial=OTHER, outbox="cc")
    token = make_read_token(gateways=[GATEWAY])
    answer = await ask_with_cookie(service, f"/api/v1/gateways/{GATEWAY}/meters", token)
    assert answer.json()[0]["power"] == 100.0
    assert_problem(await ask_with_cookie(service, f"/api/v1/gateways/{OTHER}/meters", token), 404, "not-found")
    assert (await ask_with_cookie(service, SESSION, token)).json() == {
        "gateways": [GATEWAY],
        "expires": make_read_claims()["exp"],
        "scope": "read",
        "file_formats": ["csv", "parquet"],
        "present": None,
    }


async def test_a_token_says_which_session_it_would_replace(service):
    """So a page that is opened by a link need not ask for a session that is not there, and be refused."""

    async def ask(cookie: str | None) -> Any:
        service.client.cookies.clear()
        headers = {"authorization": f"Bearer {make_read_token(gateways=[GATEWAY])}"}
        if cookie is not None:
            headers["cookie"] = f"{COOKIE}={cookie}"
        answer = await service.client.get(SESSION, headers=headers)
        assert answer.json()["gateways"] == [GATEWAY], "the header counts"
        return answer.json()["present"]

    assert await ask(None) is None
    assert await ask("nonsense") is None
    assert await ask(sign(make_ingest_claims())) is None, "a scraper's token is no session"
    present = await ask(make_read_token(gateways=[OTHER]))
    assert present is not None
    assert present["gateways"] == [OTHER]


async def test_the_cookie_is_good_for_get_alone(service):
    token = make_read_token()
    assert_problem(await ask_with_cookie(service, SESSION, token, "POST"), 401, "unauthorised")
    batches = f"/api/v1/gateways/{GATEWAY}/batches"
    assert_problem(await ask_with_cookie(service, batches, token, "POST"), 401, "unauthorised")


async def test_a_cookie_ends_with_its_token(service):
    token = make_read_token()
    service.clock.advance(86_400 + 61)
    assert_problem(await ask_with_cookie(service, SESSION, token), 401, "unauthorised")


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "%00", "é", "." * 10_000])
async def test_a_cookie_that_is_no_token_is_refused(service, value):
    assert_problem(await ask_with_cookie(service, SESSION, value), 401, "unauthorised")


async def test_a_scrapers_token_begins_no_session(service):
    answer = await service.client.post(SESSION, headers={"authorization": f"Bearer {sign(make_ingest_claims())}"})
    assert_problem(answer, 403, "forbidden")
    assert "set-cookie" not in answer.headers


async def test_a_header_counts_before_the_cookie(service):
    """A page that was given a new token must not be held back by its old cookie, nor a bad token be let in by one."""
    headers = {"authorization": "Bearer nonsense", "cookie": f"{COOKIE}={make_read_token()}"}
    assert_problem(await service.client.get(SESSION, headers=headers), 401, "unauthorised")


async def test_ending_a_session_forgets_the_cookie(service):
    answer = await service.client.delete(SESSION)
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert (answer.status_code, cookie.value, cookie["max-age"]) == (204, "", "0")


@pytest.mark.parametrize(("has_parquet", "formats"), [(True, ["csv", "parquet"]), (False, ["csv"])])
async def test_a_session_says_which_files_the_receiver_makes(service, monkeypatch, *, has_parquet: bool, formats):
    monkeypatch.setattr(session, "has_parquet", lambda: has_parquet)
    answer = await service.get(SESSION, token=make_read_token())
    assert answer.json()["file_formats"] == formats

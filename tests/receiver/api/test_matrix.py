"""Who may do what: every route of the application with every sort of credential, taken from its route table.

A route that nobody has said anything about here fails.
"""

import gzip
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.routing import Route

from receiver.api.access import COOKIE
from receiver.auth import readers
from receiver.service.app import create_app
from receiver.sites.writing import make_version
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    make_batch,
    make_ingest_claims,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
    start,
)

INVERTER = "482100000001"
ROOT = "/api/v1/gateways"
ONE = f"{ROOT}/{{serial}}"
SITES = "/api/v1/sites"
LEGACY = "/api/v1/inverters"
LEGACY_SECRET = b"canary-legacy-5b0e83c1f96a47d2e8830fb74c"
SITE = "Lane 5"
SITES_TEXT = f'"{GATEWAY}": {{site: {SITE}}}'

Statuses = Mapping[str, int]


OF_A_GATEWAY: Statuses = {
    "none": 401, "expired": 401, "wrong scope": 403, "other gateway": 404, "revoked": 401, "cookie": 200, "owner": 200,
    "right": 200,
}  # fmt: skip
OF_THE_READER: Statuses = {**OF_A_GATEWAY, "other gateway": 200}
"""What a token sees of itself: one for another gateway is as good as any."""
OF_THE_OWNER: Statuses = {**OF_A_GATEWAY, "cookie": 401, "right": 403}
"""What is right for all other questions reads alone; and a browser sends its cookie without being asked."""
PUBLIC: Statuses = dict.fromkeys(OF_A_GATEWAY, 200)
EXPECTED: Mapping[tuple[str, str], Statuses] = {
    ("POST", f"{ONE}/batches"): {**OF_A_GATEWAY, "other gateway": 403, "cookie": 401, "owner": 403},
    ("POST", LEGACY): {**dict.fromkeys(OF_A_GATEWAY, 401), "right": 200},
    ("POST", "/api/v1/session"): {**OF_THE_READER, "cookie": 401},
    ("GET", "/api/v1/session"): OF_THE_READER,
    ("DELETE", "/api/v1/session"): dict.fromkeys(OF_A_GATEWAY, 204),  # forgets a cookie; needs no right to do so
    ("GET", ROOT): OF_THE_READER,
    ("GET", ONE): OF_A_GATEWAY,
    ("GET", f"{ONE}/inverters"): OF_A_GATEWAY,
    ("GET", f"{ONE}/inverters/energy"): OF_A_GATEWAY,
    ("GET", f"{ONE}/inverters/{{inverter}}"): OF_A_GATEWAY,
    ("GET", f"{ONE}/panels"): OF_A_GATEWAY,
    ("PATCH", f"{ONE}/panels"): OF_THE_OWNER,
    ("POST", f"{ONE}/panels/layout"): OF_THE_OWNER,
    ("GET", f"{ONE}/meters"): OF_A_GATEWAY,
    ("GET", f"{ONE}/power"): OF_A_GATEWAY,
    ("GET", f"{ONE}/alarms"): OF_A_GATEWAY,
    ("GET", f"{ONE}/energy"): OF_A_GATEWAY,
    ("GET", f"{ONE}/energy/lifetime"): OF_A_GATEWAY,
    ("GET", f"{ONE}/metrics"): OF_A_GATEWAY,
    ("GET", "/api/v1/metrics"): OF_THE_READER,
    ("GET", f"{ONE}/series"): OF_A_GATEWAY,
    ("GET", f"{ONE}/live"): OF_A_GATEWAY,
    ("GET", SITES): OF_THE_READER,
    ("GET", f"{SITES}/{{site}}/power"): OF_A_GATEWAY,
    ("GET", f"{SITES}/{{site}}/energy"): OF_A_GATEWAY,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
}
"""By method and path. The files of the page are public, too: they say nothing of anybody."""
QUERIES = {f"{ONE}/series": "?kind=meter&field=power"}
BODIES = {
    f"{ONE}/panels": msgspec.json.encode(
        {"version": make_version(SITES_TEXT.encode()), "panels": {"1": {"name": "East 1"}}}
    ),
    f"{ONE}/panels/layout": msgspec.json.encode({"text": "1;East 1"}),
    LEGACY: msgspec.json.encode({"envoySerial": GATEWAY}),
}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A receiver with a site of one gateway, whose sites file it may write."""
    sites = write_sites_file(tmp_path, SITES_TEXT)
    async with start(tmp_path / "state", sites_file=sites, legacy_secret=LEGACY_SECRET) as running:
        yield running


def list_routes(found: Any) -> Iterator[Route]:
    """Every route of an application, also those of routers inside it."""
    for route in found:
        inner = getattr(route, "original_router", None) or getattr(route, "routes", None)
        if inner is not None:
            yield from list_routes(getattr(inner, "routes", inner))
        else:
            assert hasattr(route, "methods"), f"what is {route}?"
            yield route


def make_table(service: Service) -> list[tuple[str, str, Statuses | None]]:
    """Method, path and expectation of every route of the API."""
    paths = [(route.path, sorted(route.methods or ())) for route in list_routes(create_app(service.receiver).routes)]
    return [
        (method, path, EXPECTED.get((method, path)))
        for path, methods in paths
        for method in methods
        if path.startswith("/api/") or path.endswith("z")
    ]


def make_read_token(**changes: Any) -> str:
    return sign({**make_read_claims(), **changes}, READ_SECRET, kid="read")


def make_write_token(**changes: Any) -> str:
    return sign({**make_ingest_claims(), **changes})


def make_credentials(service: Service, sort: str, *, writes: bool) -> dict[str, str]:
    """The headers that a request of that sort brings; what is right to write is wrong to read, and so on."""
    expired = {"iat": NOW_MS // 1000 - 900, "exp": NOW_MS // 1000 - 300}
    if sort == "none":
        return {}
    if sort == "cookie":
        return {"cookie": f"{COOKIE}={make_read_token()}"}
    if sort == "owner":
        token = make_read_token(gateways=[GATEWAY], scope="owner")
    elif sort == "revoked":
        token = _make_token_of_a_removed_key(service) if writes else _make_revoked(service)
    elif sort == "expired":
        token = make_write_token(**expired) if writes else make_read_token(**expired)
    elif sort == "wrong scope":
        token = make_read_token() if writes else make_write_token()
    elif sort == "other gateway":
        token = make_write_token(sub=OTHER) if writes else make_read_token(gateways=[OTHER])
    else:
        token = make_write_token() if writes else make_read_token(gateways=[GATEWAY])
    return {"authorization": f"Bearer {token}"}


def make_credentials_for(service: Service, sort: str, path: str) -> dict[str, str]:
    """The same, for one path: the old scraper has no token, and is let in by its secret alone."""
    if path == LEGACY and sort == "right":
        return {"x-flameorg-auth": LEGACY_SECRET.decode()}
    return make_credentials(service, sort, writes=path.endswith(("/batches", LEGACY)))


def _make_revoked(service: Service) -> str:
    entry, token = readers.create(
        service.settings.state_dir, READ_SECRET, gateways=["*"], days=30, now_s=NOW_MS // 1000
    )
    readers.revoke(service.settings.state_dir, READ_SECRET, entry.jti)
    service.clock.advance(31)
    return token


def _make_token_of_a_removed_key(service: Service) -> str:
    key = Ed25519PrivateKey.generate()
    token = sign(make_ingest_claims(), key, kid=service.add_key(key), alg="EdDSA")
    service.settings.keys_file.write_text("")
    service.clock.advance(31)
    return token


async def ask_status(service: Service, method: str, path: str, headers: dict[str, str]) -> int:
    address = path.format(serial=GATEWAY, inverter=INVERTER, site=SITE) + QUERIES.get(path, "")
    content = None
    if path.endswith("/batches"):
        content, headers = gzip.compress(make_batch(make_meter())), {**headers, "content-encoding": "gzip"}
        headers["content-type"] = "application/json"
    elif path in BODIES and method != "GET":
        content, headers = BODIES[path], {**headers, "content-type": "application/json"}
    service.client.cookies.clear()
    async with service.client.stream(method, address, headers=headers, content=content) as answer:
        return answer.status_code  # some answers have no end


async def test_every_route_has_an_expectation(service: Service):
    found = {(method, path) for method, path, _ in make_table(service)}
    assert found == EXPECTED.keys()


@pytest.mark.parametrize("sort", OF_A_GATEWAY)
async def test_who_may_do_what(service: Service, sort: str):
    await service.send(make_inverter(INVERTER), make_meter())
    await service.send(make_inverter("2"), serial=OTHER, outbox="cc")
    deviations = []
    for method, path, expected in make_table(service):
        headers = make_credentials_for(service, sort, path)
        found = await ask_status(service, method, path, headers)
        if expected is None or found != expected[sort]:
            deviations.append(f"{method} {path}: {found}, not {expected and expected[sort]}")
    assert not deviations


async def test_what_is_not_a_route_is_not_found_whoever_asks(service: Service):
    """No address outside of the table does anything."""
    for path in ("/metrics", "/api/v1", "/api/v1/gateways/", f"{ROOT}/{GATEWAY}/batches/1", "/api/v2/gateways"):
        for sort in OF_A_GATEWAY:
            assert await ask_status(service, "GET", path, make_credentials(service, sort, writes=False)) == 404, (
                path,
                sort,
            )


ODD_QUERIES = {"missing": "", "malformed": "?format=xml&every=7x&limit=x&start=soon", "unknown": "?canary-name=1"}
"""Questions that no route can answer: without what it needs, with senseless values, with a name that it does not know."""
NOT_LET_IN = [sort for sort, status in OF_A_GATEWAY.items() if status != 200]


@pytest.mark.parametrize("sort", NOT_LET_IN)
async def test_who_is_not_let_in_hears_that_whatever_else_is_wrong(service: Service, sort: str):
    """401, 403 and 404 come before 422, on every route, also where a needed parameter is missing.

    Who ends a session needs no right to do so, and is therefore let in: see the next test.
    """
    await service.send(make_inverter(INVERTER), make_meter())
    await service.send(make_inverter("2"), serial=OTHER, outbox="cc")
    deviations = []
    for method, path, expected in make_table(service):
        if expected is None or expected[sort] < 400:
            continue
        headers = make_credentials_for(service, sort, path)
        for name, query in ODD_QUERIES.items():
            address = path.format(serial=GATEWAY, inverter=INVERTER, site=SITE) + query
            service.client.cookies.clear()
            answer = await service.client.request(method, address, headers=headers)
            if answer.status_code != expected[sort]:
                deviations.append(f"{method} {path} {name}: {answer.status_code}, not {expected[sort]}")
    assert not deviations


async def test_who_is_let_in_hears_which_name_is_wrong_and_no_value(service: Service):
    await service.send(make_inverter(INVERTER), make_meter())
    for method, path, expected in make_table(service):
        if expected is PUBLIC:
            continue
        sort = "owner" if expected is OF_THE_OWNER else "right"
        headers = make_credentials_for(service, sort, path)
        address = path.format(serial=GATEWAY, inverter=INVERTER, site=SITE) + QUERIES.get(path, "?")
        answer = await service.client.request(method, f"{address}&evry=canary-value", headers=headers)
        # a scraper keeps the rows of a batch that a proxy sent to no address, and would give up those of a bad batch
        assert answer.status_code == (404 if path.endswith(("/batches", LEGACY)) else 422), (method, path)
        assert answer.json()["detail"].startswith("parameter evry is not known here: there are "), (method, path)
        assert "canary" not in answer.text, (method, path)
    assert (await service.get(f"{ROOT}/{GATEWAY}/series")).status_code == 422


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (f"{'x' * 500}=1", f"parameter {'x' * 40} is"),
        ("%1b%5b2J%0aevry%e2%80%ae=1", "parameter \ufffd[2J evry\ufffd is"),
        ("=1", "a parameter without a name is"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLWNhbmFyeQ", "parameter [token] is"),
    ],
)
async def test_a_name_is_told_back_shortened_and_inert(service: Service, query: str, shown: str):
    answer = await service.get(f"{ROOT}?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"{shown} not known here: there are after, format, limit."

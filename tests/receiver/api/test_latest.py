"""What readers see: the latest values, only of the gateways that their token covers."""

from typing import Any

import pytest

from receiver.auth import readers
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    assert_problem,
    make_ingest_claims,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
)

ROUTES = ["", "/inverters", "/meters"]


def make_reader(*gateways: str, **changes: Any) -> str:
    return sign({**make_read_claims(gateways=list(gateways)), **changes}, READ_SECRET, kid="read")


async def test_one_entry_per_inverter(service: Service):
    await service.send(make_inverter("2", power=5.0), make_inverter("1", NOW_MS - 60_000, power=7.0, max_power=9.0))
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/inverters")
    producing = {"state": "producing", "speaks": True}
    assert answer.json() == [
        {"inverter": "1", "power": 7.0, "max_power": 9.0, "timestamp": NOW_MS - 60_000, "age_seconds": 60.0}
        | producing,
        {"inverter": "2", "power": 5.0, "timestamp": NOW_MS, "age_seconds": 0.0} | producing,
    ]


async def test_one_entry_per_meter_and_phase(service: Service):
    await service.send(make_meter(phase="a", power=1.0), make_meter(phase="b", power=2.0))
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}/meters")
    assert answer.json() == [
        {
            "meter": "production", "phase": phase, "power": power, "timestamp": NOW_MS, "age_seconds": 0.0,
            "speaks": True,
        }
        for phase, power in (("a", 1.0), ("b", 2.0))
    ]  # fmt: skip


async def test_an_entry_speaks_as_long_as_the_household_rests_on_it(service: Service):
    """The page and the terminal ask for this, so that there is one idea of it."""
    path = f"/api/v1/gateways/{GATEWAY}"
    await service.send(make_meter(power=9.0), make_inverter("1", power=7.0))
    for after_s, meter, inverter in ((120, True, True), (1, False, True), (1679, False, True), (1, False, False)):
        service.clock.advance(after_s)
        assert [entry["speaks"] for entry in (await service.get(f"{path}/meters")).json()] == [meter]
        assert [entry["speaks"] for entry in (await service.get(f"{path}/inverters")).json()] == [inverter]
        production = (await service.get(f"{path}/power")).json()["production_w"]
        assert production == (9.0 if meter else 7.0 if inverter else None)


async def test_a_panel_that_never_reported_does_not_speak(start_over, tmp_path):
    panel = 'panels: {"9": {name: East 1}}'
    async with start_over("sqlite", sites_file=write_sites_file(tmp_path, f'"{GATEWAY}":\n  {panel}\n')) as running:
        await running.send(make_meter())
        (entry,) = (await running.get(f"/api/v1/gateways/{GATEWAY}/inverters")).json()
    assert (entry["timestamp"], entry["speaks"]) == (None, False)


async def test_the_list_of_gateways(service: Service):
    await service.send(
        make_inverter("1"), make_meter(phase="a"), make_meter(phase="b"),
        Reading("gateway", {}, NOW_MS - 5000, {"firmware": "D8.2.4286", "role": "owner"}),
    )  # fmt: skip
    await service.send(make_inverter("7", NOW_MS - 1000), serial=OTHER)
    answer = await service.get("/api/v1/gateways")
    assert answer.json() == [
        {
            "gateway": GATEWAY,
            "name": None,
            "time_zone": "UTC",
            "time_zone_source": "receiver",
            "currency": None,
            "source": "gateway",
            "last_timestamp": NOW_MS,
            "age_seconds": 0.0,
            "firmware": "D8.2.4286",
            "role": "owner",
            "inverters": 1,
            "meters": 2,
        },
        {
            "gateway": OTHER,
            "name": None,
            "time_zone": "UTC",
            "time_zone_source": "receiver",
            "currency": None,
            "source": "gateway",
            "last_timestamp": NOW_MS - 1000,
            "age_seconds": 1.0,
            "firmware": None,
            "role": None,
            "inverters": 1,
            "meters": 0,
        },
    ]


async def test_the_status_of_a_gateway(service: Service):
    gap = Reading("event", {"type": "gap"}, NOW_MS - 9000, {"reason": "stream stalled"})
    await service.send(Reading("gateway", {}, NOW_MS - 2000, {"firmware": "D8.2.4286", "outbox_rows": 3.0}), gap)
    path = f"/api/v1/gateways/{GATEWAY}"
    answer = (await service.get(path)).json()
    expected = {
        "gateway": GATEWAY,
        "name": None,
        "time_zone": "UTC",
        "time_zone_source": "receiver",
        "currency": None,
        "source": "gateway",
        "last_timestamp": NOW_MS - 2000,
        "age_seconds": 2.0,
        "status": {"firmware": "D8.2.4286", "outbox_rows": 3.0},
        "status_age_seconds": 2.0,
        "delivery_lag_seconds": 2.0,
        "open_gap_since": NOW_MS - 9000,
    }
    assert answer | expected == answer
    await service.send(Reading("event", {"type": "gap"}, NOW_MS - 9000, {"end": float(NOW_MS - 1000)}))
    assert (await service.get(path)).json()["open_gap_since"] is None


async def test_a_token_shows_its_gateways_and_no_other(service: Service):
    """The other gateway is invisible: left out of the list, and 404 on every route, as if there were none."""
    await service.send(make_inverter("1"), make_meter())
    await service.send(make_inverter("2"), make_meter(), serial=OTHER)
    token = make_reader(GATEWAY)
    assert [entry["gateway"] for entry in (await service.get("/api/v1/gateways", token=token)).json()] == [GATEWAY]
    for route in ROUTES:
        assert (await service.get(f"/api/v1/gateways/{GATEWAY}{route}", token=token)).status_code == 200
        answer = await service.get(f"/api/v1/gateways/{OTHER}{route}", token=token)
        assert_problem(answer, 404, "not-found")
    assert not service.receiver.watch.is_watched(OTHER)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_gateway_that_nobody_sent_for_is_not_found(service: Service, route: str):
    assert_problem(await service.get(f"/api/v1/gateways/{OTHER}{route}"), 404, "not-found")
    for text in ("a' OR 1=1 --", "%27%20OR%201", "..%2f..", "%00"):
        assert_problem(await service.get(f"/api/v1/gateways/{text}{route}"), 404, "not-found")


@pytest.mark.parametrize("path", ["/api/v1/gateways", *(f"/api/v1/gateways/{GATEWAY}{route}" for route in ROUTES)])
async def test_every_read_needs_a_read_token(service: Service, path: str):
    assert_problem(await service.get(path, token=""), 401, "unauthorised")
    assert_problem(await service.get(path, token=sign(make_ingest_claims())), 403, "forbidden")
    assert_problem(await service.get(f"{path}?token={make_reader('*')}", token=""), 401, "unauthorised")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW_MS // 1000 - 100, "iat": NOW_MS // 1000 - 200},
        {"iss": "envoy-scraper"},
        {"aud": "other"},
        {"scope": "admin"},
        {"jti": ""},
        {"gateways": "everything"},
        {"gateways": {"*": True}},
        {"gateways": [1]},
    ],
)
async def test_reader_claims_that_are_not_ours_are_unauthorised(service: Service, changes: dict[str, Any]):
    assert_problem(await service.get("/api/v1/gateways", token=make_reader(GATEWAY, **changes)), 401, "unauthorised")


async def test_a_revoked_read_token_is_out_within_thirty_seconds(service: Service):
    entry, token = readers.create(
        service.settings.state_dir, READ_SECRET, gateways=["*"], days=30, now_s=NOW_MS // 1000
    )
    assert (await service.get("/api/v1/gateways", token=token)).status_code == 200
    readers.revoke(service.settings.state_dir, READ_SECRET, entry.jti)
    service.clock.advance(30)
    assert_problem(await service.get("/api/v1/gateways", token=token), 401, "unauthorised")
    assert (await service.get("/api/v1/gateways")).status_code == 200


async def test_a_damaged_list_of_tokens_lets_no_reader_in(service: Service):
    """Nobody can tell any more who was revoked."""
    (service.settings.state_dir / readers.LIST_FILE).write_bytes(b"[{")
    service.clock.advance(30)
    assert_problem(await service.get("/api/v1/gateways"), 401, "unauthorised")

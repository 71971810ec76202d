"""An old scraper of envoy-scrape goes on posting, over real sockets, in the form that its source has."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from receiver.ingest.limits import Limits
from receiver.settings import ReceiverSettings
from tests.clocks import NOW_MS
from tests.receiver.service import GATEWAY, SECRET, Service, assert_problem, make_settings, start

LEGACY_SECRET = b"canary-legacy-5b0e83c1f96a47d2e8830fb74c"
PANEL = "482100000001"
NOW_S = NOW_MS // 1000


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A receiver that takes posts of an old scraper."""
    async with start(tmp_path / "state", legacy_secret=LEGACY_SECRET) as running:
        yield running


def make_post(*, serial: str = GATEWAY, **changes: Any) -> bytes:
    """As Go's encoder with `omitempty` writes it: what is 0 is left out."""
    report = {
        "serialNumber": PANEL, "lastReportDate": NOW_S, "devType": 1, "lastReportWatts": 120, "maxReportWatts": 290,
        **changes,
    }  # fmt: skip
    kept = {name: value for name, value in report.items() if value}
    return msgspec.json.encode({"envoySerial": serial, "inverters": [kept]})


async def post(service: Service, data: bytes, *secrets: bytes) -> httpx.Response:
    headers = [(b"content-type", b"application/json"), *((b"x-flameorg-auth", one) for one in secrets)]
    return await service.client.post("/api/v1/inverters", content=data, headers=headers)


async def read_stored(service: Service) -> dict[int, dict[str, Any]]:
    found = await service.receiver.store.read_points(GATEWAY, "inverter", start=0, stop=2 * NOW_MS)
    return {point.timestamp: dict(point.fields) for one in found for point in one.points}


async def test_its_reports_are_stored_as_ours_and_rolled_up(service: Service):
    answer = await post(service, make_post(), LEGACY_SECRET)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": 0})
    assert await read_stored(service) == {NOW_MS: {"power": 120.0, "max_power": 290.0}}
    assert service.receiver.rollups.store.get_marks(GATEWAY).fresh
    assert len((await service.get(f"/api/v1/gateways/{GATEWAY}/inverters")).json()) == 1


async def test_a_power_that_is_left_out_is_0(service: Service):
    assert (await post(service, make_post(lastReportWatts=0), LEGACY_SECRET)).status_code == 200
    assert (await read_stored(service))[NOW_MS]["power"] == 0


async def test_what_is_no_inverter_or_has_no_time_is_not_stored(service: Service):
    answers = [await post(service, data, LEGACY_SECRET) for data in (make_post(devType=0), make_post(lastReportDate=0))]
    assert [answer.json() for answer in answers] == [{"accepted": 0, "rejected": 0}, {"accepted": 0, "rejected": 1}]
    assert await read_stored(service) == {}


@pytest.mark.parametrize("secrets", [(), (b"",), (LEGACY_SECRET[:-1],), (SECRET,), (b"\xe9",), (LEGACY_SECRET,) * 2])
async def test_without_the_secret_nobody_is_let_in(service: Service, secrets: tuple[bytes, ...]):
    assert_problem(await post(service, make_post(), *secrets), 401, "unauthorised")
    assert await read_stored(service) == {}


async def test_a_gateway_that_is_not_listed_is_forbidden(service: Service):
    assert_problem(await post(service, make_post(serial="122300009999"), LEGACY_SECRET), 403, "forbidden")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b'{"envoySerial":"1","envoySerial":"2"}', 400, "malformed"),
        (b'{"envoySerial":1}', 422, "unprocessable"),
        (msgspec.json.encode({"envoySerial": GATEWAY, "inverters": [{}] * 501}), 413, "too-large"),
    ],
)
async def test_a_body_of_another_shape_is_refused(service: Service, data: bytes, status: int, code: str):
    assert_problem(await post(service, data, LEGACY_SECRET), status, code)


@pytest.mark.parametrize(
    "bad",
    [
        {"serialNumber": "a/b"}, {"lastReportWatts": 1.5}, {"lastReportDate": 10**16}, {"lastReportDate": 10**18},
        {"lastReportDate": 10**30}, {"lastReportDate": "now"},
    ],
)  # fmt: skip
async def test_a_report_that_is_none_costs_no_other_one(service: Service, bad: dict[str, Any]):
    """The old scraper sends each report once: a whole post must not be lost with one."""
    wrong, right = (msgspec.json.decode(make_post(**changes))["inverters"] for changes in (bad, {}))
    answer = await post(
        service, msgspec.json.encode({"envoySerial": GATEWAY, "inverters": wrong + right}), LEGACY_SECRET
    )
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": 1})
    assert await read_stored(service) == {NOW_MS: {"power": 120.0, "max_power": 290.0}}


async def test_its_rate_is_bounded_as_that_of_a_gateway(tmp_path: Path):
    limits = Limits(gateway_rate=1, address_rate=1e9)
    async with start(tmp_path / "state", legacy_secret=LEGACY_SECRET, limits=limits) as service:
        statuses = [(await post(service, make_post(), LEGACY_SECRET)).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]


async def test_without_the_option_there_is_no_such_address(tmp_path: Path):
    async with start(tmp_path / "state") as service:
        assert_problem(await post(service, make_post(), LEGACY_SECRET), 404, "not-found")


def test_the_secret_is_of_its_own_and_for_listed_gateways(tmp_path: Path):
    assert make_settings(tmp_path, secret=None, legacy_secret=LEGACY_SECRET).gateways
    for changes in ({"legacy_secret": SECRET}, {"legacy_secret": b"short"}, {"secret": None, "gateways": ()}):
        with pytest.raises(ValueError, match="RECEIVER_LEGACY_SECRET"):
            make_settings(tmp_path, **{"legacy_secret": LEGACY_SECRET, **changes})
    assert LEGACY_SECRET.decode() not in repr(make_settings(tmp_path, legacy_secret=LEGACY_SECRET))
    assert "legacy_secret" in ReceiverSettings.model_fields

"""Short links: what opens the page, who may guess, and how a link ends."""

from pathlib import Path

import pytest

from receiver.auth import links
from receiver.auth.reloading import RELOAD_S
from shared.files import write_private
from tests.receiver.service import GATEWAY, OTHER, Service, make_meter


def make_link(
    service: Service, *, gateways: tuple[str, ...] = (GATEWAY,), days: int = 30
) -> tuple[links.PageLink, str]:
    return links.create(
        service.settings.state_dir,
        name="parents",
        gateways=list(gateways),
        days=days,
        now_s=service.clock.now_ms() // 1000,
    )


async def read(service: Service, code: str, path: str = f"/api/v1/gateways/{GATEWAY}/power") -> int:
    return (await service.get(path, token=code)).status_code


async def test_a_link_is_short_and_opens_at_once_what_it_names_and_nothing_else(service: Service) -> None:
    await service.send(make_meter())
    await service.send(make_meter(), serial=OTHER)
    _, code = make_link(service)
    assert len(links.make_page_link("", code)) <= len("/#t=") + 24
    assert await read(service, code) == 200
    assert await read(service, code, f"/api/v1/gateways/{OTHER}/power") == 404
    refused = await service.post(b"{}", token=code)
    assert refused.status_code == 403


async def test_a_browser_exchanges_a_code_for_a_cookie(service: Service) -> None:
    await service.send(make_meter())
    link, code = make_link(service)
    begun = await service.client.post("/api/v1/session", headers={"authorization": f"Bearer {code}"})
    session = begun.json()
    assert "csv" in session.pop("file_formats")
    assert session == {"gateways": [GATEWAY], "expires": link.expires, "scope": "read"}
    assert (await service.client.get("/api/v1/session")).status_code == 200  # by the cookie


async def test_a_link_ends_by_revocation_and_by_its_day(service: Service) -> None:
    await service.send(make_meter())
    (link, code), (_, short) = make_link(service), make_link(service, days=1)
    assert (await read(service, code), await read(service, short)) == (200, 200)
    assert links.revoke(service.settings.state_dir, link.id)
    service.clock.advance(RELOAD_S)
    assert await read(service, code) == 401
    service.clock.advance(86_400)
    assert await read(service, short) == 401


async def test_the_list_holds_no_code_and_one_that_cannot_be_read_opens_nothing(service: Service) -> None:
    await service.send(make_meter())
    _, code = make_link(service)
    path = service.settings.state_dir / links.LIST_FILE
    text = path.read_text()
    assert code not in text
    assert path.stat().st_mode & 0o077 == 0
    assert await read(service, code) == 200
    for broken in ("{", text.replace('"gateways"', '"gates"')):
        path.write_text(broken)
        service.clock.advance(RELOAD_S)
        assert await read(service, code) == 401
    path.write_text(text)
    service.clock.advance(RELOAD_S)
    assert await read(service, code) == 200


async def test_guesses_are_few_a_second_and_the_right_code_is_never_among_them(service: Service) -> None:
    await service.send(make_meter())
    _, code = make_link(service)
    assert await read(service, code) == 200
    statuses = [await read(service, f"{number:016d}") for number in range(60)]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 51
    assert await read(service, code) == 200


@pytest.mark.parametrize("text", ["a" * 15, "a" * 17, "a" * 15 + "-", "é" * 16])
async def test_what_is_no_code_is_no_guess(service: Service, text: str) -> None:
    assert not links.is_code(text)


def start(state_dir: Path, *gateways: str, now_s: int = 1_000) -> str:
    return links.find_or_make_standing(state_dir, name="this machine", gateways=list(gateways), now_s=now_s)


def test_starts_show_the_same_link_until_it_is_revoked(tmp_path: Path) -> None:
    first = start(tmp_path, GATEWAY)
    assert start(tmp_path, GATEWAY) == start(tmp_path, GATEWAY) == first
    assert len(links.load(tmp_path)) == 1
    links.revoke(tmp_path, links.load(tmp_path)[0].id)
    second = start(tmp_path, GATEWAY)
    assert second != first
    assert [link.revoked for link in links.load(tmp_path)] == [True, False]
    assert start(tmp_path, GATEWAY, now_s=2_000_000_000) != second


async def test_one_more_gateway_and_one_less_sign_nobody_out(service: Service) -> None:
    """`make run`, `make run ALSO=.env.garage` and `make run`: the phone goes on, and sees what is there."""
    await service.send(make_meter())
    await service.send(make_meter(), serial=OTHER)
    folder, now_s = service.settings.state_dir, service.clock.now_ms() // 1000
    code = start(folder, GATEWAY, now_s=now_s)
    garage = f"/api/v1/gateways/{OTHER}/power"
    assert (await read(service, code), await read(service, code, garage)) == (200, 404)
    for gateways in ((GATEWAY, OTHER), (GATEWAY,)):
        assert start(folder, *gateways, now_s=now_s) == code
        service.clock.advance(RELOAD_S)
        assert (await read(service, code), await read(service, code, garage)) == (200, 200)
    assert len(links.load(folder)) == 1


def test_the_standing_link_is_the_owners_and_one_of_an_earlier_version_goes_on_reading(tmp_path) -> None:
    """Who made it may have handed it on: it gets no more rights than it had."""
    gateways = [GATEWAY]
    _, former = links.create(tmp_path, name="this machine", gateways=gateways, days=links.STANDING_DAYS, now_s=1_000)
    write_private(tmp_path / links.STANDING_FILE, former.encode())
    code = links.find_or_make_standing(tmp_path, name="this machine", gateways=gateways, now_s=1_001)
    assert code != former
    assert links.find_or_make_standing(tmp_path, name="this machine", gateways=gateways, now_s=1_002) == code
    assert [(link.scope, link.revoked) for link in links.load(tmp_path)] == [("read", False), ("owner", False)]

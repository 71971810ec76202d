"""The owner places and names panels: who may, what is written, and what is left alone."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from receiver.auth import links, readers
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    assert_problem,
    make_inverter,
    make_read_claims,
    sign,
    start,
)

EAST, WEST = "482100000001", "482100000002"
SITES = f"""\
# Ours. Ask Anna before you change it.
"{GATEWAY}":
  name: Home      # the old farm
  tariffs:
    - valid_from: 2026-01-01
      rates: 0.320    # per kWh
  panels:
    # the garage
    "{EAST}": {{name: East 1, array: Garage, row: 1, column: 1, rated_watts: 410}}    # was replaced in May
"{OTHER}":
  name: Parents
"""
PANELS = f"/api/v1/gateways/{GATEWAY}/panels"


@pytest.fixture
def sites_file(tmp_path: Path) -> Path:
    return write_sites_file(tmp_path, SITES)


@pytest.fixture
async def service(tmp_path: Path, sites_file: Path) -> AsyncIterator[Service]:
    async with start(tmp_path / "state", sites_file=sites_file) as running:
        await running.send(make_inverter(EAST), make_inverter(WEST))
        yield running


def read(path: Path) -> str:
    return path.read_text()


def set_mode(path: Path, mode: int) -> None:
    path.chmod(mode)


def read_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


def make_owner_token() -> str:
    return sign({**make_read_claims(gateways=[GATEWAY]), "scope": "owner"}, READ_SECRET, kid="read")


async def write(service: Service, content: Any, *, token: str | None = None, path: str = PANELS) -> httpx.Response:
    headers = {"authorization": f"Bearer {token or make_owner_token()}"}
    method = "POST" if path.endswith("/layout") else "PATCH"
    answer = await service.client.request(method, path, headers=headers, json=content)
    service.answers.append(answer)
    return answer


async def place(service: Service, panels: Any, **more: Any) -> httpx.Response:
    version = (await service.get(PANELS)).json()["version"]
    return await write(service, {"version": version, "panels": panels}, **more)


async def test_the_owner_names_and_places_panels_and_the_file_keeps_all_else(service: Service, sites_file: Path):
    set_mode(sites_file, 0o640)
    answer = await place(
        service,
        {
            EAST: {"name": "East 9", "row": 2},
            WEST: {"name": "no", "array": "Garage", "row": 1, "column": 2, "azimuth": 270.0, "tilt": 30.5},
        },
    )
    assert answer.status_code == 200, answer.text
    expected = SITES.replace("East 1", "East 9").replace("row: 1,", "row: 2,")
    before, line, after = expected.partition(f'"{OTHER}"')
    added = f'    "{WEST}": {{name: no, array: Garage, row: 1, column: 2, azimuth: 270, tilt: 30.5}}\n'
    assert read(sites_file) == before + added + line + after
    assert read_mode(sites_file) == 0o640


async def test_the_running_receiver_shows_it_at_once(service: Service):
    answer = await place(service, {WEST: {"name": "West 1", "array": "Garage", "row": 1, "column": 2, "tilt": 30}})
    shown = {panel["inverter"]: panel for panel in (await service.get(f"/api/v1/gateways/{GATEWAY}/inverters")).json()}
    assert shown[WEST]["name"] == "West 1"
    assert (shown[WEST]["array"], shown[WEST]["row"], shown[WEST]["tilt"]) == ("Garage", 1, 30.0)
    again = (await service.get(PANELS)).json()
    assert again == answer.json()
    assert again["obstacle"] is None


async def test_null_takes_a_word_away_and_what_is_absent_stays(service: Service):
    answer = await place(service, {EAST: {"row": None, "column": None}})
    assert answer.json()["panels"] == {EAST: {"name": "East 1", "array": "Garage", "rated_watts": 410.0}}


async def test_two_editors_do_not_overwrite_each_other(service: Service, sites_file: Path):
    version = (await service.get(PANELS)).json()["version"]
    rewrite(sites_file, SITES + "  billing_day: 3\n")
    answer = await write(service, {"version": version, "panels": {EAST: {"name": "mine"}}})
    assert_problem(answer, 412, "changed-meanwhile")
    assert read(sites_file) == SITES + "  billing_day: 3\n"
    assert (await place(service, {EAST: {"name": "mine"}})).status_code == 200


async def test_a_token_that_reads_hears_what_is_missing(service: Service, sites_file: Path):
    _, token = readers.create(
        service.settings.state_dir, READ_SECRET, gateways=[GATEWAY], days=1, now_s=service.clock.now_ms() // 1000
    )
    answer = await place(service, {EAST: {"name": "mine"}}, token=token)
    assert answer.status_code == 403
    assert "scope owner" in answer.json()["detail"]
    assert "envoy-receiver token create --owner" in answer.json()["detail"]
    assert read(sites_file) == SITES


async def test_tokens_and_links_of_the_owner_change_panels_of_their_gateways_alone(service: Service):
    folder, now_s = service.settings.state_dir, service.clock.now_ms() // 1000
    await service.send(make_inverter("3"), serial=OTHER, outbox="cc")
    _, token = readers.create(folder, READ_SECRET, gateways=[GATEWAY], days=1, now_s=now_s, scope="owner")
    _, code = links.create(folder, name="", gateways=[GATEWAY], days=1, now_s=now_s, scope="owner")
    for credential in (token, code):
        assert (await place(service, {EAST: {"name": "East 7"}}, token=credential)).status_code == 200
        other = PANELS.replace(GATEWAY, OTHER)
        assert (await place(service, {"3": {"name": "x"}}, token=credential, path=other)).status_code == 404
        assert (await service.post(b"{}", token=credential)).status_code == 403
        session = await service.get("/api/v1/session", token=credential)
        assert session.json()["scope"] == "owner"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"panels": {EAST: {"name": "x"}}}, "Version has another form than the published schema says."),
        ({"version": "x", "panels": {}}, "Panels has another form than the published schema says."),
        ({"version": "x", "panels": {"ca/nary": {}}}, "Panels has another form than the published schema says."),
        ({"version": "x", "panels": {EAST: {"row": 0}}}, "Panels, row must be a whole number from 1."),
        ({"version": "x", "panels": {EAST: {"row": "canary"}}}, "Panels, row must be a whole number from 1."),
        (
            {"version": "x", "panels": {EAST: {"azimuth": 361}}},
            "Panels, azimuth must be degrees from 0 to 360, clockwise from north (180 is south).",
        ),
        (
            {"version": "x", "panels": {EAST: {"name": "a\u0007canary"}}},
            "Panels, name must be a text of 1 to 100 characters on one line.",
        ),
        (
            {"version": "x", "panels": {EAST: {"canary": 1}}},
            "Panels: an unknown key; there are name, array, row, column, azimuth, tilt.",
        ),
        ([], "The body must have version, panels."),
    ],
)
async def test_a_wrong_body_is_refused_by_its_field(service: Service, content: Any, said: str):
    answer = await write(service, content)
    assert answer.status_code == 422
    assert answer.json()["detail"] == said
    assert "canary" not in answer.text


async def test_two_panels_of_one_place_are_refused_by_name(service: Service, sites_file: Path):
    answer = await place(service, {WEST: {"array": "Garage", "row": 1, "column": 1}})
    assert answer.status_code == 422
    assert "have the same place: change array, row or column of one" in answer.json()["detail"]
    assert read(sites_file) == SITES


async def test_a_broken_file_is_left_alone(service: Service, sites_file: Path):
    rewrite(sites_file, SITES + '"3": {nmae: x}\n')
    answer = await place(service, {EAST: {"name": "x"}})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Mend the sites file by hand first: gateway 3, nmae: no such key;")


async def test_without_a_sites_file_it_says_what_to_set(tmp_path: Path):
    async with start(tmp_path / "state") as running:
        await running.send(make_inverter(EAST))
        obstacle = (await running.get(PANELS)).json()["obstacle"]
        answer = await place(running, {EAST: {"name": "x"}})
    assert answer.status_code == 409
    assert answer.json()["code"] == "not-writable"
    assert answer.json()["detail"] == obstacle
    assert "set RECEIVER_SITES_FILE" in obstacle


async def test_a_file_that_is_not_there_yet_is_made(tmp_path: Path):
    path = tmp_path / "sites.yaml"
    async with start(tmp_path / "state", sites_file=path) as running:
        await running.send(make_inverter(EAST))
        assert (await place(running, {EAST: {"name": "East 1"}})).status_code == 200
    assert read(path) == f'"{GATEWAY}":\n  panels:\n    "{EAST}": {{name: East 1}}\n'


async def test_a_layout_of_enlighten_becomes_rows_and_columns_and_is_not_written(service: Service, sites_file: Path):
    layout = f"""{{"arrays": [{{"label": "Garage", "azimuth": 90, "modules": [
        {{"x": 100, "y": 300, "inverter": {{"serial_num": "{WEST}"}}}},
        {{"x": 100, "y": 100, "inverter": {{"serial_num": "{EAST}"}}}}]}}]}}"""
    answer = await write(service, {"text": layout}, path=f"{PANELS}/layout")
    assert answer.json() == {
        "panels": {
            WEST: {"array": "Garage", "row": 2, "column": 1, "azimuth": 90.0},
            EAST: {"array": "Garage", "row": 1, "column": 1, "azimuth": 90.0},
        }
    }
    assert read(sites_file) == SITES
    refused = await write(service, {"text": '{"arrays": [{"label": 5}]}'}, path=f"{PANELS}/layout")
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("Arrays[0].label: expected `str`")

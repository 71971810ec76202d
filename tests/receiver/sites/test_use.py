"""The sites file in the answers and the commands, over a real store."""

import re
from pathlib import Path

import pytest

from receiver.cli.sites import list_seen
from receiver.sites.load import parse
from receiver.sites.template import SeenGateway, write_template
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.cli.test_commands import call, environment
from tests.receiver.service import GATEWAY, OTHER, Service, make_inverter, make_meter, start

__all__ = ["environment"]
SITES = f"""
"{GATEWAY}":
  name: Home
  time_zone: Europe/Berlin
  panels: {{"1": {{name: East 1, array: Garage, tilt: 30}}, "2": {{tilt: 30}}}}
  meters: {{production: {{reversed: [a]}}}}
"""
READINGS = [
    make_inverter("482300001112"), make_inverter("48.x_1"), make_meter(phase="a"), make_meter(phase="b"),
    Reading("meter", {"meter": "net-consumption", "phase": "a"}, NOW_MS, {"power": 1.0}),
]  # fmt: skip


async def fill(path: Path) -> list[SeenGateway]:
    store = SqliteStore(path)
    await store.open()
    try:
        await store.write([GatewayReading(GATEWAY, reading) for reading in READINGS])
        await store.write([GatewayReading(OTHER, make_inverter("482300009999"))])
        return await list_seen(store)
    finally:
        await store.close()


def assert_is_the_template(text: str) -> None:
    sites = parse(text.encode())
    assert list(sites) == [GATEWAY, OTHER]
    assert list(sites[GATEWAY].panels) == ["48.x_1", "482300001112"]
    assert list(sites[GATEWAY].meters) == ["net-consumption", "production"]
    assert sites[OTHER].meters == {}


async def test_the_template_of_a_filled_store_loads_as_it_is(tmp_path: Path):
    text = write_template(await fill(tmp_path / "readings.sqlite"))
    assert_is_the_template(text)
    assert "# phases: a, b" in text


async def test_the_examples_in_the_template_load_too(tmp_path: Path):
    """A person who removes a # has a file that is fine."""
    text = write_template(await fill(tmp_path / "readings.sqlite"))
    wanted = r"^  # ((?:name|time_zone|location|tariffs|currency|billing_day):|  - valid_from|    rates|    feed_in)"
    sites = parse(re.sub(wanted, r"  \1", text, flags=re.MULTILINE).encode())
    assert sites[GATEWAY].time_zone == "Europe/Berlin"
    assert sites[OTHER].tariffs[0].feed_in == 0.08


async def test_answers_carry_what_the_owner_says(tmp_path: Path):
    path = tmp_path / "sites.yaml"
    path.write_text(SITES)
    async with start(tmp_path / "state", sites_file=path) as service:
        await service.send(
            make_inverter("1"), make_inverter("2"), make_inverter("3"), make_meter(phase="a"), make_meter(phase="b")
        )
        one = f"/api/v1/gateways/{GATEWAY}"
        for answer in ((await get(service, "/api/v1/gateways"))[0], await get(service, one)):
            assert (answer["name"], answer["time_zone"]) == ("Home", "Europe/Berlin")
        first, *others = await get(service, f"{one}/inverters")
        assert (first["name"], first["array"]) == ("East 1", "Garage")
        assert first["tilt"] == 30.0
        assert all(not {"name", "array"} & entry.keys() for entry in others)
        assert [entry["power"] for entry in await get(service, f"{one}/meters")] == [-100.0, 100.0]
        stored = await service.receiver.store.read_latest(GATEWAY, "meter")
        assert [entry.fields["power"] for entry in stored] == [100.0, 100.0]


async def get(service: Service, path: str):
    answer = await service.get(path)
    assert answer.status_code == 200
    return answer.json()


async def test_sites_prints_and_writes_what_was_seen(environment: Path, tmp_path: Path):
    await fill(environment / "readings.sqlite")
    assert_is_the_template(call_in_thread("sites").stdout)
    output = tmp_path / "sites.yaml"
    assert "RECEIVER_SITES_FILE=" in call_in_thread("sites", "--output", str(output)).stdout
    assert_is_the_template(output.read_text())
    output.write_text("mine")
    again = call_in_thread("sites", "--output", str(output))
    assert again.exit_code == 1
    assert "exists and is left as it is" in again.stderr
    assert output.read_text() == "mine"


def call_in_thread(*arguments: str):
    """The command runs an event loop of its own."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *arguments).result()


def test_sites_of_an_empty_store_makes_no_file(environment: Path, tmp_path: Path):
    result = call("sites", "--output", str(tmp_path / "sites.yaml"))
    assert result.exit_code == 1
    assert "let a scraper send first" in result.stderr
    assert not (tmp_path / "sites.yaml").exists()
    assert not environment.exists()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SITES, r"ok    sites file: .* describes 1 gateway"),
        ("1: {nmae: x}", "FAIL  sites file: gateway 1, nmae: no such key; did you mean name?"),
        (None, "FAIL  sites file: .* cannot be read .*; correct RECEIVER_SITES_FILE or the file"),
    ],
)
def test_check_says_whether_the_file_is_fine(
    text: str | None, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: Path
):
    path = tmp_path / "sites.yaml"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("RECEIVER_SITES_FILE", str(path))
    assert re.search(line.replace("?", r"\?"), call("check").output)
    monkeypatch.delenv("RECEIVER_SITES_FILE")
    assert "ok    sites file: none" in call("check").output

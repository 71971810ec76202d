"""Imports from an InfluxDB by its address: real servers of 2.7 and 1.8, with the line protocol that the programs write."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from receiver.stores.base import Point
from shared.units import DAY_MS, MINUTE_MS, SECOND_MS
from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.influxd1.server import PASSWORD, USERNAME, run_influxd1
from tests.receiver.imports.receiving import read_stored, run_import
from tests.receiver.service import GATEWAY, OTHER, SECRET
from tests.receiver.stores.store_factories import make_buckets

PANEL = "482100000001"
START_MS = 1_590_001_200_000
pytestmark = pytest.mark.usefixtures("state")


@dataclass
class OldDatabase:
    """A database of another program.

    Attributes:
        url: Where it is.
        bucket: Which one.
        token: Its login.
        write: Writes line protocol in nanoseconds.
    """

    url: str
    bucket: str
    token: str
    write: Callable[[str], None]

    def list_options(self) -> tuple[str, ...]:
        """What the command needs besides its address and login."""
        return ("--bucket", self.bucket, "--org", ORG)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A receiver of this test's own over SQLite."""
    for name in [name for name in os.environ if name.startswith(("RECEIVER_", "INFLUXDB_", "IMPORT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in {"STATE_DIR": str(tmp_path / "state"), "SECRET": SECRET.decode(), "GATEWAYS": GATEWAY}.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)
    monkeypatch.setenv("RECEIVER_METER_DAYS", "0")
    return tmp_path / "state"


@pytest.fixture(params=["2.7", "1.8"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OldDatabase]:
    """A real one of each version, with its login in the environment."""
    if request.param == "2.7":
        server = request.getfixturevalue("shared_influxd")
        with make_buckets(server) as (bucket, _):
            monkeypatch.setenv("IMPORT_TOKEN", ADMIN_TOKEN)
            yield OldDatabase(server.url, bucket, ADMIN_TOKEN, lambda lines: write_v2(server.url, bucket, lines))
        return
    with run_influxd1(tmp_path / "influxd1") as old:
        old.query("CREATE DATABASE envoy")
        token = f"{USERNAME}:{PASSWORD}"
        (tmp_path / "login").write_text(token + "\n")
        (tmp_path / "login").chmod(0o600)
        monkeypatch.setenv("IMPORT_TOKEN_FILE", str(tmp_path / "login"))
        yield OldDatabase(old.url, "envoy", token, lambda lines: write_v1(old.url, lines))


def write_v2(url: str, bucket: str, lines: str) -> None:
    parameters = {"org": ORG, "bucket": bucket, "precision": "ns"}
    headers = {"authorization": f"Token {ADMIN_TOKEN}"}
    httpx.post(f"{url}/api/v2/write", params=parameters, content=lines, headers=headers).raise_for_status()


def write_v1(url: str, lines: str) -> None:
    parameters = {"db": "envoy", "precision": "ns"}
    httpx.post(f"{url}/write", params=parameters, content=lines, auth=(USERNAME, PASSWORD)).raise_for_status()


def make_scrape_line(time: int, *, gateway: str = GATEWAY, kind: str = "1", power: int = 120) -> str:
    tags = f"inverterPower,envoySerial={gateway},serial={PANEL},type={kind}"
    return f"{tags} maxPower=290i,power={power}i {time * 1_000_000}\n"


def test_a_bucket_of_envoy_scrape_comes_one_to_one_from_its_server(database: OldDatabase):
    """Over days with a long pause between them, and again without a change."""
    times = [START_MS, START_MS + 5 * MINUTE_MS, START_MS + 40 * DAY_MS, START_MS + 90 * DAY_MS]
    database.write("".join(make_scrape_line(time, power=100 + number) for number, time in enumerate(times)))
    database.write(make_scrape_line(START_MS, gateway=OTHER) + make_scrape_line(START_MS + MINUTE_MS, kind="12"))
    told = run_import("envoy-scrape", database.url, *database.list_options(), "--dry-run").output
    assert told.splitlines()[0] == "5 rows read, 4 would be written"
    told = run_import("envoy-scrape", database.url, *database.list_options()).output
    assert told.splitlines()[0] == "5 rows read, 4 written"
    assert "1 skipped: of a device that is no inverter" in told
    expected = [Point(time, {"power": 100.0 + number, "max_power": 290.0}) for number, time in enumerate(times)]
    assert read_stored("inverter", 0, times[-1] + 1) == expected
    database.write(make_scrape_line(times[-1] + DAY_MS))
    seen = run_import("envoy-scrape", database.url, *database.list_options(), "--dry-run").output
    assert seen.splitlines()[0] == "6 rows read, 1 would be written"
    assert read_stored("inverter", 0, times[-1] + 2 * DAY_MS) == expected
    again = run_import("envoy-scrape", database.url, *database.list_options()).output
    assert "4 skipped: already stored" in again
    assert database.token not in told + again


def test_a_bucket_of_envoy_logger_becomes_meters_and_inverters(database: OldDatabase):
    lines = []
    for seconds in (0, 5):
        time = (START_MS + seconds * SECOND_MS) * 1_000_000
        for index, name in enumerate(("consumption", "production", "net")):
            tags = f"{name}-line0,source=home,measurement-type={name},line-idx=0"
            lines.append(f"{tags} P={index + 0.5},Q=1.0,S=2.0,I_rms=3.0,V_rms=230.1 {time}\n")
    last = (START_MS + 7 * SECOND_MS) * 1_000_000
    lines.append(f"net-line1,source=home,measurement-type=net,line-idx=1 P=-7.0 {last}\n")
    lines.append(f"net-line0,source=shed,measurement-type=net,line-idx=0 P=99.0 {last}\n")
    lines.append(f"inverter-production-{PANEL},source=home,measurement-type=inverter,serial={PANEL} P=12i {last}\n")
    lines.append(f"inverter-daily-summary-{PANEL},source=home,measurement-type=inverter Wh=0.0 {last}\n")
    database.write("".join(lines))
    told = run_import("envoy-logger", database.url, *database.list_options(), "--source", "home").output
    assert told.splitlines()[0] == "8 rows read, 8 written"
    meters = read_stored("meter", 0, START_MS + DAY_MS)
    assert len(meters) == 7
    full = {"reactive_power": 1.0, "apparent_power": 2.0, "current": 3.0, "voltage": 230.1}
    assert Point(START_MS, {"power": 1.5, **full}) in meters
    assert Point(START_MS + 7 * SECOND_MS, {"power": -7.0}) in meters
    assert read_stored("inverter", 0, START_MS + DAY_MS) == [Point(START_MS + 7 * SECOND_MS, {"power": 12.0})]
    Path("export.lp").write_text("".join(lines))
    told = run_import("envoy-logger", "export.lp").output
    assert "8 skipped: already stored" in told
    assert "1 skipped: another measurement than those of lines and inverters (first in line 10)" in told
    assert "1 skipped: of another source than home" in told


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"IMPORT_TOKEN": "wrong:login-canary"}, "refuses the login"),
        ({"bucket": "other"}, "correct --bucket, --org or the token"),
    ],
)
def test_a_database_that_cannot_be_read_is_a_sentence_without_the_login(
    database: OldDatabase, change: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
):
    if "IMPORT_TOKEN" in change:
        monkeypatch.delenv("IMPORT_TOKEN_FILE", raising=False)
        monkeypatch.setenv("IMPORT_TOKEN", change["IMPORT_TOKEN"])
    options = ("--bucket", change.get("bucket", database.bucket), "--org", ORG)
    told = run_import("envoy-scrape", database.url, *options, fails=True).output
    assert why in told
    assert not any(secret in told for secret in (database.token, "login-canary"))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("envoy-scrape", "http://127.0.0.1:9"), "no answer from http://127.0.0.1:9"),
        (("envoy-scrape", "http://user:canary@127.0.0.1:9"), "the address must look like"),
        (("envoy-scrape", "http://influx.example:8086"), "plain http to another machine"),
        (("envoy-logger", "http://127.0.0.1:9"), "--bucket must name the bucket"),
        (("enlighten", "http://127.0.0.1:9"), "enlighten is imported from a file"),
    ],
)
def test_an_address_that_does_not_do_is_a_sentence(
    arguments: tuple[str, str], why: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("IMPORT_TOKEN", "canary-of-the-import")
    told = run_import(*arguments, fails=True).output
    assert why in told
    assert "canary" not in told


def test_readings_of_meters_that_would_not_be_kept_are_skipped_with_the_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEIVER_METER_DAYS", "90")
    Path("export.lp").write_text(f"net-line0,source=home P=1.0 {START_MS * 1_000_000}\n")
    told = run_import("envoy-logger", "export.lp").output
    assert "1 skipped: a reading of a meter that is older than 90 days" in told
    assert "set RECEIVER_METER_DAYS higher" in told

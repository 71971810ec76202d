"""`envoy-scraper read /path` and `send`: real processes against a gateway over TLS, and a door nobody may knock at."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from simulator.server import Simulator
from tests.scraper.commands import CommandLine, make_command_line

CONTACTS = "/ivp/ss/dry_contact_settings"
DOCUMENT = '{"dry_contacts": [ {"id": "NC1",  "load_name": "H\\u00e4user"} ]}\n'


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator("firmware-8") as running:
        yield running


@pytest.fixture
def command_line(tmp_path, sim) -> CommandLine:
    return make_command_line(sim, tmp_path, 1)


@contextlib.asynccontextmanager
async def count_connections(command_line: CommandLine) -> AsyncIterator[list[str]]:
    """A listener in the place of the gateway, on both ports, and who came."""
    came: list[str] = []

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append("somebody")
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        command_line.environment.update(ENVOY_HTTP_PORT=port, ENVOY_HTTPS_PORT=port)
        yield came


def list_requests(sim: Simulator) -> list[tuple[str, str]]:
    return [(entry.values["method"], entry.values["path"]) for entry in sim.ledger.list_kind("request")]


@pytest.mark.parametrize("path", ["@evil.example/x", "/ivp/%252e%252e/admin", "/ivp\r\nX-Y: z"])
async def test_a_path_that_could_lead_elsewhere_is_refused_without_a_connection(command_line, path):
    async with count_connections(command_line) as came:
        outcome = await command_line.run_command("read", path)
        assert (outcome.status, outcome.text.startswith("envoy-scraper: a path ")) == (2, True), outcome.text
        sent = await command_line.run_command("send", "PUT", path, "--data", "-", "--accept-risk", typed="{}")
        assert sent.status == 2
    assert came == []
    assert not command_line.state_dir.exists()


async def test_a_reply_is_printed_as_it_is_and_several_as_one_object(command_line, sim):
    plain = await command_line.run_command("read", "/ivp/meters")
    assert plain.status == 0, plain.text
    assert [meter["measurementType"] for meter in json.loads(plain.text)] == ["production", "net-consumption"]
    both = await command_line.run_command("read", "/ivp/meters", "/info", "--json")
    replies = json.loads(both.text)
    assert list(replies) == ["/ivp/meters", "/info"]
    assert replies["/ivp/meters"] == json.loads(plain.text)
    assert replies["/info"].startswith("<?xml")
    assert {method for method, _ in list_requests(sim)} == {"GET"}


async def test_a_refused_path_says_the_status_and_shows_the_body(command_line):
    outcome = await command_line.run_command("read", "/no/such/path", "/ivp/meters", "--json")
    assert outcome.status == 1
    assert "the gateway answered GET /no/such/path with status 404" in outcome.text
    assert '"/ivp/meters": [' in outcome.text
    assert not list((command_line.state_dir / "raw").glob("*.json"))[1:], "a refusal is not kept"


async def test_a_cached_reply_is_taken_while_it_is_young_and_of_this_gateway(command_line, sim):
    first = await command_line.run_command("read", "/ivp/meters/readings")
    (kept,) = (command_line.state_dir / "raw").iterdir()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    before = len(list_requests(sim))
    again = await command_line.run_command("read", "/ivp/meters/readings", "--cached")
    assert (again.status, again.text) == (0, first.text)
    assert len(list_requests(sim)) == before, "nothing was asked"
    old = await command_line.run_command("read", "/ivp/meters/readings", "--cached", "--max-age", "0")
    assert (old.status, len(list_requests(sim)) > before) == (0, True)
    other = await command_line.run_command("read", "/ivp/meters/readings", "--cached", SERIAL="122399999999")
    assert other.status == 1, "what another gateway said is not taken"
    assert (await command_line.run_command("read", "--cached")).status == 2


async def test_nothing_is_sent_and_nobody_is_asked_without_the_option(command_line, tmp_path):
    data = tmp_path / "settings.json"
    data.write_text(DOCUMENT)
    async with count_connections(command_line) as came:
        outcome = await command_line.run_command("send", "put", CONTACTS, "--data", str(data))
        assert outcome.status == 0, outcome.text
        assert outcome.text.startswith(f"PUT {CONTACTS}\nContent-Type: application/json\n\n{DOCUMENT}")
        assert "Nothing was sent." in outcome.text
        wrong = [
            ("send", "DELETE", CONTACTS, "--data", str(data), "--accept-risk"),
            ("send", "PUT", CONTACTS, "--data", str(tmp_path / "none"), "--accept-risk"),
            ("send", "PUT", CONTACTS, "--accept-risk"),
        ]
        assert [(await command_line.run_command(*one)).status for one in wrong] == [2, 2, 2]
        for typed in ("{not json", '"' + "x" * 65536 + '"', ""):
            refused = await command_line.run_command(
                "send", "PUT", CONTACTS, "--data", "-", "--accept-risk", typed=typed
            )
            assert refused.status == 2, refused.text
    assert came == []


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_with_the_option_the_gateway_gets_exactly_that_once(command_line, sim, method):
    outcome = await command_line.run_command("send", method, CONTACTS, "--data", "-", "--accept-risk", typed=DOCUMENT)
    assert outcome.status == 0, outcome.text
    (write,) = sim.ledger.list_kind("write")
    assert write.values == {
        "method": method,
        "target": CONTACTS,
        "content_type": "application/json",
        "body": DOCUMENT,
    }
    assert list_requests(sim).count((method, CONTACTS)) == 1
    logged, reply = outcome.text.splitlines()
    logged, reply = (logged, reply) if "sent to the gateway by hand" in logged else (reply, logged)
    assert json.loads(reply) == {CONTACTS: json.loads(DOCUMENT)}
    assert {"method": method, "path": CONTACTS, "status": 200}.items() <= json.loads(logged).items()
    assert "load_name" not in logged
    after = await command_line.run_command("read", CONTACTS)
    assert json.loads(after.text) == json.loads(DOCUMENT)


async def test_a_write_that_is_refused_is_not_repeated(command_line, sim):
    outcome = await command_line.run_command(
        "send", "PUT", "/ivp/meters", "--data", "-", "--accept-risk", typed='{"a": 1}'
    )
    assert outcome.status == 1
    assert "the gateway answered PUT /ivp/meters with status 405" in outcome.text
    assert list_requests(sim).count(("PUT", "/ivp/meters")) == 1


async def test_another_certificate_or_gateway_gets_no_token_and_no_data(command_line, sim):
    assert (await command_line.run_command("read", "/info")).status == 0
    sim.faults.switch_on("new-certificate")
    for command in (("read", "/ivp/meters"), ("send", "PUT", CONTACTS, "--data", "-", "--accept-risk")):
        outcome = await command_line.run_command(*command, typed=DOCUMENT)
        assert (outcome.status, "nothing secret was sent" in outcome.text) == (1, True), outcome.text
    sim.faults.switch_off("new-certificate")
    sim.faults.switch_on("other-serial")
    other = await command_line.run_command("send", "PUT", CONTACTS, "--data", "-", "--accept-risk", typed=DOCUMENT)
    assert other.status == 1
    assert sim.ledger.list_kind("write") == []


async def test_a_gateway_that_is_away_has_a_status_of_its_own(command_line):
    command_line.environment.update(ENVOY_HTTP_PORT="1", ENVOY_HTTPS_PORT="1")
    assert (await command_line.run_command("read", "/ivp/meters")).status == 3


async def test_nothing_that_looks_like_a_secret_is_printed_or_kept(command_line, sim):
    token = sim.make_token("owner")
    secrets = {
        "a": token,
        "b": f"sent with Bearer {token}",
        "wifi_password": "canary-one",
        "sessionId": "canary-two",
        "deep": [{"api_token": "canary-\\u0074hree", "pin_token": 48151623}],
        "url": "https://user:canary-four@example.org/?token=canary-five",
    }
    typed = json.dumps(secrets).replace("eyJ", "\\u0065yJ", 1).replace("\\\\u", "\\u")
    shown = await command_line.run_command("send", "PUT", CONTACTS, "--data", "-", typed=typed)
    sent = await command_line.run_command("send", "PUT", CONTACTS, "--data", "-", "--accept-risk", typed=typed)
    assert sim.device.written[CONTACTS]["a"] == token, "what is sent is whole"
    read = await command_line.run_command("read", CONTACTS)
    as_json = await command_line.run_command("read", CONTACTS, "--json")
    kept = [file.read_text() for file in (command_line.state_dir / "raw").iterdir()]
    for text in (shown.text, sent.text, read.text, as_json.text, *kept):
        assert "[redacted]" in text
        for secret in (token, token[2:], "canary", "48151623"):
            assert secret not in text


async def test_both_work_beside_a_running_scraper(command_line, sim):
    async with command_line.run() as scraper:
        await scraper.read_to("gateway login")
        assert (await command_line.run_command("read", "/ivp/meters")).status == 0
        sent = await command_line.run_command("send", "PUT", CONTACTS, "--data", "-", "--accept-risk", typed=DOCUMENT)
        assert sent.status == 0, sent.text
        assert (await scraper.stop()).status == 0
    assert len(sim.ledger.list_kind("write")) == 1

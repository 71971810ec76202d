"""`envoy-scraper cloud` and `check` of a cloud source, as their users type them, over real sockets."""

import contextlib
import re
import ssl
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from scraper.cloud.grant import GRANT_FILE, OwnerGrant
from scraper.cloud.rules.approval import make_address, read_code
from scraper.errors import WrongUseError
from simulator.server import Simulator
from tests.scraper.cli.test_support import read_archive
from tests.scraper.commands import SECRET, CommandLine, run_hosted_receiver

FORM = {"email": "owner@example.com", "password": "sunny-roof", "approve": "yes"}


@pytest.fixture
async def sim():
    async with Simulator("firmware-8") as running:
        yield running


@pytest.fixture
def command_line(sim, tmp_path):
    """A command line whose settings are right, but for the receiver, which is not there."""
    application = sim.cloud.oauth.application
    return CommandLine(
        tmp_path,
        {
            "SSL_CERT_FILE": str(sim.cloud.ca_file),
            "ENVOY_SOURCE": "cloud",
            "ENVOY_CLOUD_SYSTEM": "4711023",
            "ENVOY_CLOUD_API_URL": sim.cloud.url,
            "ENVOY_CLOUD_API_KEY": application.api_key,
            "ENVOY_CLOUD_CLIENT_ID": application.client_id,
            "ENVOY_CLOUD_CLIENT_SECRET": application.client_secret,
            "ENVOY_STATE_DIR": str(tmp_path / "edge"),
            "ENVOY_RECEIVER_URL": "http://127.0.0.1:1",
            "ENVOY_RECEIVER_SECRET": SECRET,
        },
    )


def list_secrets(sim):
    application = sim.cloud.oauth.application
    tokens = [token for one in sim.cloud.oauth._approvals for token in (*one.access, *one.refresh)]
    return [application.api_key, application.client_secret, "owner@example.com", *tokens]


@contextlib.asynccontextmanager
async def begin_to_authorise(command_line, *options):
    """The process, and the address that it prints."""
    process = await command_line._start("scraper", "cloud", "authorise", *options)
    try:
        while not (line := (await process.stdout.readline()).decode().strip()).startswith("https://"):
            assert process.returncode is None
        yield process, line
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def approve_in_browser(sim, address):
    """What the owner does: the page, the form; the address to which the browser is sent."""
    context = ssl.create_default_context(cafile=str(sim.cloud.ca_file))
    async with httpx.AsyncClient(verify=context) as browser:
        assert "<form" in (await browser.get(address)).text
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        sent = await browser.post(f"{sim.cloud.url}/oauth/authorize", data=query | FORM)
    return sent.headers["location"]


@pytest.mark.parametrize("given", ["address", "code"])
async def test_the_owner_approves_and_gives_back_what_the_browser_shows(command_line, sim, given):
    async with begin_to_authorise(command_line) as (process, address):
        landed = await approve_in_browser(sim, address)
        code = parse_qs(urlsplit(landed).query)["code"][0]
        text, _ = await process.communicate(f"{landed if given == 'address' else code}\n".encode())
        assert process.returncode == 0, text
    file = command_line.state_dir / GRANT_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert sim.cloud.oauth.find_owner(msgspec.json.decode(file.read_bytes(), type=OwnerGrant).access)
    assert b"4711023  Roof  Europe/Berlin  last seen " in text
    assert not [secret for secret in [*list_secrets(sim), code] if secret.encode() in text]


async def test_a_browser_on_this_machine_is_sent_back_by_itself(command_line, sim):
    async with begin_to_authorise(command_line, "--listen", "0") as (process, address):
        landed = await approve_in_browser(sim, address)
        assert landed.startswith("http://127.0.0.1:")
        async with httpx.AsyncClient(trust_env=False) as browser:
            assert (await browser.get(landed.split("?", maxsplit=1)[0])).status_code == 404, "a probe is no answer"
            wrong = re.sub(r"state=[^&]*", "state=another", landed)
            assert (await browser.get(wrong)).status_code == 404, "nor is what another page sends"
            assert "Done" in (await browser.get(landed)).text
        text, _ = await process.communicate()
        assert process.returncode == 0, text
    assert (command_line.state_dir / GRANT_FILE).exists()


async def test_a_code_that_is_worth_nothing_keeps_what_was_there(command_line, sim):
    before = await command_line.run_command("cloud", "authorise", typed="nonsense-code\n")
    assert (before.status, "good once" in before.text) == (2, True)
    assert not (command_line.state_dir / GRANT_FILE).exists()
    missing = await command_line.run_command("cloud", "authorise", CLOUD_API_KEY="", CLOUD_CLIENT_ID="")
    assert missing.status == 1
    assert "ENVOY_CLOUD_API_KEY is not set" in missing.text
    assert "ENVOY_CLOUD_CLIENT_ID is not set" in missing.text


@pytest.mark.parametrize(
    ("landed", "words"),
    [
        ("https://x.example/?error=access_denied&state=s", "the owner refused"),
        ("https://x.example/?error=server_error&state=s", "an error instead of a code"),
        ("https://x.example/?code=AbCdEf&state=other", "its state differs"),
        ("https://x.example/?code=AbCdEf", "its state differs"),
        ("https://x.example/?state=s", "no code in it"),
        ("", "no code in it"),
        ("two words", "no code in it"),
    ],
)
def test_what_comes_back_is_judged_before_anything_is_sent(landed, words):
    with pytest.raises(WrongUseError, match=words):
        read_code(landed, "s")


def test_codes_are_read_from_all_that_people_copy():
    for text in ("AbC-d_f\n", ' "AbC-d_f" ', "https://x.example/a?code=AbC-d_f&state=s", "code=AbC-d_f&state=s"):
        assert read_code(text, "s") == "AbC-d_f"
    query = parse_qs(urlsplit(make_address("https://api.example", "id", "https://x.example/r", "s")).query)
    assert query == {
        "response_type": ["code"],
        "client_id": ["id"],
        "redirect_uri": ["https://x.example/r"],
        "state": ["s"],
    }


async def authorise(command_line, sim):
    """Approve without looking."""
    code = sim.cloud.oauth.issue_code("owner@example.com", f"{sim.cloud.url}/oauth/redirect_uri")
    outcome = await command_line.run_command("cloud", "authorise", typed=f"{code}\n")
    assert outcome.status == 0, outcome.text


async def test_systems_are_listed_and_an_approval_is_forgotten(command_line, sim):
    await authorise(command_line, sim)
    listed = await command_line.run_command("cloud", "systems", CLOUD_SYSTEM="")
    assert listed.find("4711023").startswith("4711023  Roof  Europe/Berlin  last seen 20")
    as_json = msgspec.json.decode((await command_line.run_command("cloud", "systems", "--json")).text)
    assert as_json[0]["metadata"]["lastSeenAt"].endswith("Z")
    assert (await command_line.run_command("cloud", "forget", typed="n\n")).status == 0
    assert (command_line.state_dir / GRANT_FILE).exists()
    assert "Forgotten" in (await command_line.run_command("cloud", "forget", "--yes")).text
    assert "There was none" in (await command_line.run_command("cloud", "forget", "--yes")).text
    refused = await command_line.run_command("cloud", "systems")
    assert (refused.status, "cloud authorise" in refused.text) == (1, True)


async def test_the_key_line_of_a_cloud_source_names_the_system(command_line):
    outcome = await command_line.run_command("key", RECEIVER_SECRET="")
    assert (outcome.status, outcome.text.count("system-4711023")) == (0, 1), outcome.text
    missing = await command_line.run_command("key", RECEIVER_SECRET="", CLOUD_SYSTEM="")
    assert (missing.status, "ENVOY_CLOUD_SYSTEM is not set" in missing.text) == (1, True)


async def test_check_walks_the_whole_way(command_line, sim, tmp_path):
    async with run_hosted_receiver(tmp_path, "system-4711023") as hosted:
        url = f"http://127.0.0.1:{hosted.port}"
        before = await command_line.check(RECEIVER_URL=url)
        assert before.status == 1
        assert "cloud authorise" in before.find("FAIL  approval")
        assert "lets this scraper write" in before.find("ok  receiver")
        await authorise(command_line, sim)
        calls = len(sim.cloud.api.calls)
        good = await command_line.check(RECEIVER_URL=url, SERIAL=sim.serial)
        assert good.status == 0, good.text
        assert "it would end on 20" in good.find("ok  approval")
        assert "of 1000 used this month" in good.find("ok  calls")
        assert "4711023 is readable, time zone Europe/Berlin" in good.find("ok  system")
        assert "interval(s) of 5 minutes" in good.find("ok  inv")
        assert "interval(s) of 15 minutes" in good.find("ok  met")
        assert "belongs to this system" in good.find("ok  link")
        assert len(sim.cloud.api.calls) == calls + 4
        assert not [secret for secret in list_secrets(sim) if secret in good.text + before.text]


async def test_a_report_for_people_who_help_holds_no_key_no_token_and_no_number_of_the_system(
    command_line, sim, tmp_path
):
    await authorise(command_line, sim)
    log = tmp_path / "log.txt"
    log.write_text("\n".join(["system 4711023", *list_secrets(sim)]))
    outcome = await command_line.run_command("support", "--log", "log.txt", "--to", "report.tar.gz")
    assert outcome.status == 0, outcome.text
    texts = read_archive(tmp_path / "report.tar.gz")
    assert "ENVOY_CLOUD_API_KEY is set (a secret)" in texts["settings.txt"]
    assert "ok  system" in texts["check.txt"]
    assert texts["log.txt"].startswith("system system-1\n")
    whole = "\n".join(texts.values())
    assert not [known for known in ["4711023", "Roof", "Berlin", *list_secrets(sim)] if known in whole]


async def test_check_says_what_keeps_the_cloud_from_being_read(command_line, sim):
    await authorise(command_line, sim)
    sim.faults.switch_on("api-plan-401", endpoint="rgm_stats")
    assert "access controls" in (await command_line.check()).find("FAIL  met")
    sim.faults.clear()
    sim.faults.switch_on("api-404")
    assert "cloud systems" in (await command_line.check()).find("FAIL  system")
    sim.faults.clear()
    sim.faults.switch_on("api-quota", minute=1)
    outcome = await command_line.check()
    assert "used up" in outcome.text
    sim.faults.clear()
    missing = await command_line.check(CLOUD_SYSTEM="", CLOUD_CLIENT_SECRET="")
    assert "ENVOY_CLOUD_SYSTEM is not set" in missing.find("FAIL  cloud")
    assert "ENVOY_CLOUD_CLIENT_SECRET" in (await command_line.check(CLOUD_CLIENT_SECRET="")).find("FAIL  keys")

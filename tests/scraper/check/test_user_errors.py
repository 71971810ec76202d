"""Every mistake that a user can make is answered with what is wrong and what to do, by `check` and where it shows by `run`."""

import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scraper.check import edge
from scraper.check.findings import Finding, Findings, Level
from scraper.check.receiver import check_receiver
from simulator.gateway.password import derive_installer_password
from simulator.server import Simulator
from tests.clocks import ShiftedClock
from tests.scraper.commands import SECRET, CommandLine, make_command_line, run_hosted_receiver
from tests.scraper.running_scraper import make_scraper_settings, wait_until

FOREIGN = "122399999999"
ANOTHER_SECRET = "another-secret-7c1e94b05ad8f362-29be014d"


@contextlib.asynccontextmanager
async def run_gateway_and_receiver(
    folder: Path, profile: str = "firmware-8", **simulator: str
) -> AsyncIterator[tuple[Simulator, CommandLine]]:
    async with Simulator(profile, **simulator) as sim, run_hosted_receiver(folder, sim.serial) as there:  # type: ignore[arg-type]
        yield sim, make_command_line(sim, folder, there.port)


def find_unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_when_everything_is_right_every_step_says_so_and_the_status_is_0(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        outcome = await command_line.check()
    assert outcome.status == 0, outcome.text
    assert "FAIL" not in outcome.text
    for step in ("state", "outbox", "gateway", "certificate", "login", "token", "clocks", "inverters", "meters",
                 "stream", "receiver"):  # fmt: skip
        assert f"  {step}: " in outcome.text, step
    assert sim.serial in outcome.text
    assert "start it with `envoy-scraper run`" in outcome.text


async def test_a_wrong_host(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (_, command_line):
        closed = str(find_unused_port())
        outcome = await command_line.check(HTTP_PORT=closed, HTTPS_PORT=closed)
        nonsense = [await command_line.check(HOST=host) for host in ("http://192.168.1.2/", "192.168.1.2:443")]
    assert outcome.status == 1
    line = outcome.find("FAIL  gateway")
    assert "cannot be reached (nothing listens at that port)" in line
    assert "check that it is on, that ENVOY_HOST is right" in line
    for outcome in nonsense:
        assert outcome.status == 1
        assert "ENVOY_HOST must be a host name or an IP address, without http://" in outcome.text


async def test_a_wrong_password(tmp_path):
    """An installer has changed it; and the owner has mistyped it."""
    async with run_gateway_and_receiver(tmp_path, "firmware-5", installer_password="changed-by-installer") as (
        _,
        command_line,
    ):
        derived = await command_line.check()
        assert derived.status in (0, 1)
        mistyped = await command_line.check(INSTALLER_PASSWORD="canary-mistyped")
        right = await command_line.check(INSTALLER_PASSWORD="changed-by-installer")
    assert mistyped.status == 1
    assert "refused ENVOY_INSTALLER_PASSWORD: correct it, or remove it" in mistyped.find("FAIL  gateway")
    assert right.status == 0, right.text
    # without it the scraper still reads what the homeowner may, and says as whom
    assert "with envoy rights" in derived.text


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (lambda sim: sim.make_token("owner", -60), "the token expired on "),
        (lambda sim: sim.make_token("owner", serial=FOREIGN), f"this token is for gateway {FOREIGN}, yours is "),
        (
            lambda sim: sim.make_token("owner")[:-9] + "AAAAAAAAA",
            "the gateway refused the token although it runs until ",
        ),
        (lambda _: "canary", "ENVOY_TOKEN cannot be used: it is not a gateway token"),
        (lambda _: "", "there is no token for the gateway"),
    ],
)
async def test_a_token_that_is_expired_foreign_altered_or_none(tmp_path, token, sentence):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        outcome = await command_line.check(TOKEN=token(sim))
    assert outcome.status == 1
    line = outcome.find("FAIL  gateway")
    assert sentence in line
    assert "https://entrez.enphaseenergy.com" in line
    assert "ENVOY_CLOUD_USERNAME" in line


async def test_an_owner_token_gets_no_stream_and_is_told_what_that_means(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        outcome = await command_line.check(TOKEN=sim.make_token("owner"))
    assert outcome.status == 0, outcome.text
    line = outcome.find("note  stream")
    assert "only to installer tokens, and yours is an owner token" in line
    assert "meters are read every 5 s instead" in line


async def test_a_token_about_to_expire_is_noted_with_the_remedy(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        outcome = await command_line.check(TOKEN=sim.make_token("owner", 86_400))
    assert "with ENVOY_CLOUD_USERNAME and ENVOY_CLOUD_PASSWORD set it is renewed by itself" in outcome.find(
        "note  token"
    )


async def test_a_wrong_receiver_secret(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (_, command_line):
        outcome = await command_line.check(RECEIVER_SECRET=ANOTHER_SECRET)
        async with command_line.run(RECEIVER_SECRET=ANOTHER_SECRET) as scraper:
            logged = await scraper.read_to("uplink waits")
    assert outcome.status == 1
    assert "ENVOY_RECEIVER_SECRET must equal RECEIVER_SECRET" in outcome.find("FAIL  receiver")
    assert "ENVOY_RECEIVER_SECRET must equal RECEIVER_SECRET" in logged


async def test_a_serial_that_the_receiver_does_not_allow(tmp_path):
    async with Simulator("firmware-8") as sim, run_hosted_receiver(tmp_path, FOREIGN) as there:
        outcome = await make_command_line(sim, tmp_path, there.port).check()
    assert outcome.status == 1
    assert "add the serial to RECEIVER_GATEWAYS" in outcome.find("FAIL  receiver")


async def test_a_receiver_that_is_not_there_or_is_something_else(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        absent = await command_line.check(RECEIVER_URL=f"http://127.0.0.1:{find_unused_port()}")
        other = await command_line.check(RECEIVER_URL=f"http://127.0.0.1:{sim.http_port}")
        no_tls = await command_line.check(
            RECEIVER_URL=command_line.environment["ENVOY_RECEIVER_URL"].replace("http:", "https:")
        )
        unknown = await command_line.check(RECEIVER_URL=f"https://127.0.0.1:{sim.https_port}")
    assert absent.status == other.status == no_tls.status == unknown.status == 1
    assert "no connection to the receiver (nothing listens at that port): check" in absent.find("FAIL  receiver")
    assert "not from an envoy-receiver" in other.find("FAIL  receiver")
    assert "receiver" in no_tls.find("FAIL  receiver")
    assert "set ENVOY_RECEIVER_CA_FILE" in unknown.find("FAIL  receiver")


async def test_plain_http_to_another_machine(tmp_path):
    settings = {"HOST": "envoy.local", "RECEIVER_URL": "http://receiver.example", "RECEIVER_SECRET": SECRET}
    command_line = CommandLine(tmp_path, {f"ENVOY_{name}": value for name, value in settings.items()})
    for command in ("check", "run"):
        outcome = await command_line.run_command(command)
        assert outcome.status == 1
        assert "plain http to another machine" in outcome.text
        assert "use https, or set ENVOY_RECEIVER_INSECURE=true" in outcome.text


async def test_no_receiver_and_no_key(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (_, command_line):
        nowhere = await command_line.check(RECEIVER_URL="")
        keyless = await command_line.check(RECEIVER_SECRET="")
        stopped = await command_line.run_command("run", RECEIVER_URL="")
    assert "ENVOY_RECEIVER_URL is not set: say where the receiver is" in nowhere.find("FAIL  receiver")
    assert "run `envoy-scraper key` and give the line it prints to `envoy-receiver keys add`" in keyless.text
    assert (stopped.status, "ENVOY_RECEIVER_URL is not set" in stopped.text) == (1, True)


@pytest.mark.parametrize(
    ("by_s", "level", "sentence"),
    [
        (86_400, Level.FAIL, "ahead of the receiver's: the receiver refuses readings from the future; set this"),
        (-86_400, Level.NOTE, "behind the receiver's: readings get wrong times; set this machine's clock"),
    ],
)
async def test_a_clock_that_is_off_by_a_day(tmp_path, by_s, level, sentence):
    async with Simulator("firmware-8") as sim, run_hosted_receiver(tmp_path, sim.serial) as there:
        settings = make_scraper_settings(sim, tmp_path / "edge", f"http://127.0.0.1:{there.port}")
        outcome: list[Finding] = []
        await check_receiver(settings, sim.serial, ShiftedClock(by_s), Findings(outcome.append))
    assert outcome[0] == Finding(
        Level.OK, "receiver", f"answers at http://127.0.0.1:{there.port} and lets this scraper write"
    )
    assert (outcome[1].level, outcome[1].step) == (level, "clock")
    assert sentence in outcome[1].text
    assert len(outcome) == 2


async def test_a_gateway_clock_that_is_off_by_a_day_is_noted(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        sim.faults.switch_on("clock-off", by=86_400.0)
        outcome = await command_line.check(TOKEN=sim.make_token("owner", 10 * 86_400))
    assert "ahead of this machine's" in outcome.find("note  clocks")


async def test_a_state_directory_that_cannot_be_written(tmp_path):
    """Under a file: not even root can make a directory there."""
    (tmp_path / "file").write_text("")
    async with run_gateway_and_receiver(tmp_path) as (_, command_line):
        outcome = await command_line.check(STATE_DIR=str(tmp_path / "file" / "state"))
        async with command_line.run(STATE_DIR=str(tmp_path / "file" / "state")) as scraper:
            logged = await scraper.read_to("the outbox cannot be opened; trying again")
            assert (await scraper.stop()).status == 0
    assert outcome.status == 1
    line = outcome.find("FAIL  state")
    assert "cannot be written (Not a directory)" in line
    assert "set ENVOY_STATE_DIR to a directory that this user owns" in line
    assert "ENVOY_STATE_DIR" in logged


async def check_state(tmp_path: Path) -> list[Finding]:
    async with Simulator("firmware-8") as sim:
        settings = make_scraper_settings(sim, tmp_path / "edge", "http://127.0.0.1:1")
    outcome: list[Finding] = []
    assert not edge.check_state(settings, Findings(outcome.append))
    return outcome


async def test_a_state_directory_on_a_network_file_system(tmp_path, monkeypatch):
    monkeypatch.setattr(edge, "find_network_filesystem", lambda _: "nfs4")
    (finding,) = await check_state(tmp_path)
    assert finding.level is Level.FAIL
    assert "is on a network file system (nfs4)" in finding.text
    assert "set ENVOY_STATE_DIR to a directory on a local disk" in finding.text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk(tmp_path, monkeypatch, number):
    def fail(_: Path) -> None:
        raise OSError(number, "No space left on device")

    monkeypatch.setattr(edge, "_try_to_write", fail)
    (finding,) = await check_state(tmp_path)
    assert finding.level is Level.FAIL
    assert "No space left on device" in finding.text
    assert "free some space" in finding.text


async def test_another_gateway_at_the_address(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        outcome = await command_line.check(SERIAL=FOREIGN)
    line = outcome.find("FAIL  gateway")
    assert f"gateway {sim.serial} answers at 127.0.0.1, but this scraper belongs to gateway {FOREIGN}" in line
    assert "nothing secret was sent: correct ENVOY_HOST or ENVOY_SERIAL" in line


async def test_a_renewed_certificate(tmp_path):
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        assert (await command_line.check()).status == 0
        sim.faults.switch_on("new-certificate")
        outcome = await command_line.check()
        trusted = await command_line.run_command("trust", "--yes")
        again = await command_line.check()
    assert "accept the new one with: envoy-scraper trust" in outcome.find("FAIL  gateway")
    assert trusted.status == again.status == 0, trusted.text + again.text


async def test_a_firmware_before_7_needs_no_setting_but_the_host(tmp_path):
    async with run_gateway_and_receiver(tmp_path, "firmware-5") as (sim, command_line):
        outcome = await command_line.check(TOKEN="")
        password = await command_line.run_command("password")
    assert outcome.status == 0, outcome.text
    assert password.text.strip() == derive_installer_password(sim.serial)


async def test_checking_beside_a_running_scraper_disturbs_nothing_and_raises_no_alert(tmp_path):
    async with Simulator("firmware-8") as sim, run_hosted_receiver(tmp_path, sim.serial) as there:
        command_line = make_command_line(sim, tmp_path, there.port)
        async with command_line.run(DEAD_BAND="0") as scraper:  # so that every second has something new
            await scraper.read_to("gateway login")
            first, second = await command_line.check(), await command_line.check()
            rows = await there.receiver.store.count()

            async def has_more() -> bool:
                return await there.receiver.store.count() > rows

            await wait_until(has_more, lambda: "it goes on delivering")
        registry = there.receiver.metrics.registry
        assert first.status == second.status == 0, first.text + second.text
        assert registry.get_sample_value("receiver_outbox_interleaving_total", {"gateway": sim.serial}) is None


@pytest.mark.parametrize("fault", ["cloud-blocked", "cloud-locked"])
async def test_a_failed_login_at_the_account_leaves_the_serial_known(tmp_path, fault):
    """The gateway has said who it is, so the receiver is asked all the same."""
    async with run_gateway_and_receiver(tmp_path) as (sim, command_line):
        sim.faults.switch_on(fault)
        command_line.environment["SSL_CERT_FILE"] = str(sim.cloud.ca_file)
        cloud = {"CLOUD_URL": sim.cloud.url, "TOKEN_URL": sim.cloud.url}
        account = {"CLOUD_USERNAME": "owner@example.com", "CLOUD_PASSWORD": "sunny-roof"}
        outcome = await command_line.check(TOKEN="", **cloud, **account)
    assert outcome.status == 1
    assert "there is no token for the gateway" in outcome.find("FAIL  gateway")
    assert "lets this scraper write" in outcome.find("  ok  receiver")
    assert "serial is not known" not in outcome.text

"""`envoy-receiver support`: state in numbers, and nothing that names a home or opens it."""

import asyncio
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from receiver.alarms.book import Book
from receiver.alarms.book_file import FILE
from receiver.alarms.states import AlarmKey, AlarmState, Phase
from shared.files import write_private
from tests.clocks import NOW_MS, StoppedClock
from tests.end_to_end.canaries import Canaries
from tests.fake_http import run_server
from tests.receiver import service
from tests.receiver.outputs.emoncms_fake import WRITE_KEY, FakeEmonCms
from tests.receiver.outputs.pvoutput_fake import KEY, SYSTEM, FakePvOutput
from tests.receiver.service import GATEWAY, OTHER, READ_SECRET, SECRET

INVERTER = "122300112233"
SITES = f"""{GATEWAY}:
  name: Canary Lodge
  site: Canaryland
  time_zone: Europe/Lisbon
  location: {{latitude: 38.7223, longitude: -9.1393}}
  panels:
    "{INVERTER}": {{name: Canary roof east, array: Barn of Canary}}
"""
LOG = f"""event="batch stored" gateway={GATEWAY} accepted=3
event="alarm" panel="Canary roof east" of Canary Lodge inverter {INVERTER} at 38.7223, -9.1393
from 93.184.216.34 mail canary@example.org to {OTHER}
posted to canary-topic at ntfy.example.org
"""


def run_support(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own; `folder` holds the state directory."""
    ended = subprocess.run(
        [sys.executable, "-m", "receiver", "support", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "RECEIVER_STATE_DIR": str(folder / "state"), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def read_archive(path: Path) -> dict[str, str]:
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        return {
            member.name.partition("/")[2]: file.read().decode()
            for member in archive.getmembers()
            if (file := archive.extractfile(member)) is not None
        }


async def test_the_archive_of_a_running_receiver_has_its_state_in_numbers_and_no_secret(tmp_path: Path):
    canaries = Canaries()
    (tmp_path / "sites.yaml").write_text(SITES)
    (tmp_path / "log.txt").write_text(LOG)
    password = canaries.plant("password of the mail server")
    token = canaries.plant("token of the mirror")
    write_private(tmp_path / "mirror-token", token.encode())
    for name, value in (("secret", SECRET), ("read secret", READ_SECRET)):
        canaries.guard(name, value.decode())
    book = Book(tmp_path / "state" / FILE)
    async with service.start(tmp_path / "state") as running:
        await running.send(service.make_meter(), service.make_inverter(INVERTER))
        await book.load()
        state = AlarmState(Phase.FIRING, "Canary roof east gives nothing.", NOW_MS, NOW_MS, NOW_MS)
        await book.commit({AlarmKey("inverter-silent", GATEWAY, INVERTER): state}, (), NOW_MS)
        ended = run_support(
            tmp_path,
            *("--log", "log.txt", "--to", "report.tar.gz"),
            RECEIVER_SECRET=SECRET.decode(),
            RECEIVER_READ_SECRET=READ_SECRET.decode(),
            RECEIVER_GATEWAYS=f"{GATEWAY},{OTHER}",
            RECEIVER_SITES_FILE="sites.yaml",
            RECEIVER_PUBLIC_URL="https://canary-house.example.org",
            NTFY_URL="https://ntfy.example.org/canary-topic",
            SMTP_URL="smtps://canary-mail.example.org",
            SMTP_TO="canary.owner@example.org",
            SMTP_PASSWORD=password,
            ALARM_DIGEST="08:00",
            RECEIVER_NAME="envoy",
            RECEIVER_LINES_URL="http://127.0.0.1:1",
            RECEIVER_LINES_TOKEN_FILE="mirror-token",
        )
        await book.close()
    assert ended.returncode == 0, ended.stderr
    texts = read_archive(tmp_path / "report.tar.gz")

    assert "RECEIVER_SECRET is set (a secret)" in texts["settings.txt"]
    assert "ALARM_DIGEST=08:00" in texts["settings.txt"]
    assert "RECEIVER_NAME=envoy\n" in texts["settings.txt"]
    assert texts["versions.txt"].startswith("envoy-relay "), "our own words stay"
    assert "ok  " in texts["check.txt"]
    assert "gateway-1: newest reading" in texts["store.txt"]
    assert "inverter 1, meter 1" in texts["store.txt"]
    assert "firing inverter-silent: 1" in texts["alarms.txt"]
    assert "gateway-1: 1 panels" in texts["sites.txt"]
    assert "no output has run here yet" in texts["outputs.txt"]
    assert 'event="batch stored" gateway=gateway-1 accepted=3' in texts["log.txt"]
    assert "readings.sqlite" in texts["files.txt"]

    for name, text in texts.items():
        canaries.collect(name, text)
    assert canaries.list_sightings() == []
    whole = "\n".join([*texts, *texts.values()])
    hidden = (GATEWAY, OTHER, INVERTER, "38.72", "9.139", "Lisbon", "93.184", "example.org")
    for known in hidden:
        assert known not in whole, known
    assert "canary" not in whole.lower()


@pytest.mark.parametrize(("mistake", "gateways"), [("", GATEWAY), ("\n  colour: red", GATEWAY), ("", "")])
async def test_what_outputs_are_called_is_taken_out(tmp_path: Path, mistake: str, gateways: str):
    """Where the sites file or the settings have a mistake, too: then the log alone names them."""
    emoncms, pvoutput = FakeEmonCms(), FakePvOutput(StoppedClock(), ZoneInfo("Europe/Berlin"))
    (tmp_path / "sites.yaml").write_text(
        f"""{GATEWAY}:
  time_zone: Europe/Berlin
  outputs:
    emoncms: {{node: smith-phases, panels: "smith-panels"}}
    pvoutput: {{system: {SYSTEM}}}{mistake}
"{OTHER}":
  outputs: {{emoncms: {{}}}}
"""
    )
    (tmp_path / "log.txt").write_text(f"system {SYSTEM} smith-panels envoy-panels\n")
    async with (
        service.start(tmp_path / "state") as running,
        run_server(emoncms.answer) as emon,
        run_server(pvoutput.answer) as pv,
    ):
        await running.send(service.make_meter(), service.make_inverter(INVERTER))
        ended = await asyncio.to_thread(
            run_support,
            tmp_path,
            *("--log", "log.txt", "--to", "report.tar.gz"),
            RECEIVER_SECRET=SECRET.decode(),
            RECEIVER_GATEWAYS=gateways,
            RECEIVER_SITES_FILE="sites.yaml",
            RECEIVER_EMONCMS_URL=f"http://127.0.0.1:{emon.port}/emoncms",
            RECEIVER_EMONCMS_API_KEY=WRITE_KEY,
            RECEIVER_PVOUTPUT_URL=f"http://127.0.0.1:{pv.port}",
            RECEIVER_PVOUTPUT_API_KEY=KEY,
        )
    assert ended.returncode == 0, ended.stderr
    texts = read_archive(tmp_path / "report.tar.gz")
    assert "system system-1 name-" in texts["log.txt"]
    assert "envoy-panels" in texts["log.txt"], "what all have says nothing"
    if gateways and not mistake:
        assert "output emoncms: " in texts["check.txt"]
        assert "output pvoutput: system system-1 is 'name-" in texts["check.txt"]
    whole = "\n".join(texts.values()).lower()
    for known in ("smith", SYSTEM, "roof"):
        assert known not in whole


def test_settings_that_cannot_be_used_do_not_prevent_a_report(tmp_path: Path):
    ended = run_support(tmp_path, RECEIVER_PORT="many", RECEIVER_READ_SECRET="canary-7f2a91")
    assert ended.returncode == 0, ended.stderr
    (made,) = tmp_path.glob("envoy-receiver-support-*.tar.gz")
    texts = read_archive(made)
    assert "The settings cannot be used:" in texts["check.txt"]
    assert "RECEIVER_PORT must be" in texts["check.txt"]
    assert "canary" not in "".join(texts.values())

"""The systemd units: understood by systemd itself, locked down, and started as the README's commands install them."""

import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
EXPOSURE_AT_MOST = 25
"""In tenths of systemd's own scale from 0 (locked down) to 10."""


@pytest.fixture(params=["scraper", "receiver"])
def unit(request, tmp_path: Path) -> Path:
    """A unit whose program exists, as it does where it is installed."""
    program = tmp_path / f"envoy-{request.param}"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = (UNITS / program.with_suffix(".service").name).read_text()
    installed = tmp_path / f"envoy-{request.param}.service"
    installed.write_text(text.replace(f"/opt/envoy-relay/bin/envoy-{request.param}", str(program)))
    return installed


def run_systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_finds_no_problem(unit):
    answer = run_systemd_analyze("verify", str(unit))
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


def test_systemd_finds_it_locked_down(unit):
    answer = run_systemd_analyze("security", "--offline=yes", f"--threshold={EXPOSURE_AT_MOST}", str(unit))
    assert answer.returncode == 0, answer.stdout


def test_it_starts_again_whatever_happens_and_waits_for_the_clock(unit):
    lines = unit.read_text().splitlines()
    assert "Restart=always" in lines
    assert "After=network-online.target time-sync.target" in lines

"""`-` as FILE: what another program prints is imported as its file would be, and nothing of it stays behind."""

import gzip
import tempfile
from pathlib import Path

import pytest

from tests.receiver.imports.receiving import read_stored, run_import
from tests.receiver.service import GATEWAY

LATE_MS = 2_000_000_000_000
REPORT = b"Date/Time,Energy Produced (Wh)\n05/13/2024 00:00,5\n05/13/2024 01:00,7\n"
LINES = "".join(
    f"inverterPower,envoySerial={GATEWAY},serial=482300001111,type=1 power={power}i,maxPower=300i {stamp}\n"
    for power, stamp in ((100, 1_715_000_000_000_000_000), (200, 1_715_000_300_000_000_000))
).encode()
pytestmark = pytest.mark.usefixtures("chosen_state")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files, which is empty afterwards, too."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_protocol_comes_by_standard_input(pack, temporary: Path):
    told = run_import("envoy-scrape", "-", typed=pack(LINES)).output
    assert told.startswith("2 rows read, 2 written")
    assert [point.fields["power"] for point in read_stored("inverter", 0, LATE_MS)] == [100.0, 200.0]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_report_comes_by_standard_input_though_it_is_read_twice(pack, temporary: Path):
    told = run_import("enlighten", "-", "--time-zone", "UTC", typed=pack(REPORT)).output
    assert told.startswith("2 rows read, 2 written")
    stored = read_stored("imported_energy", 0, LATE_MS)
    assert [point.fields["production"] for point in stored] == [5.0, 7.0]
    assert list(temporary.iterdir()) == []


def test_what_is_wrong_with_it_is_said_of_standard_input(temporary: Path):
    for form, typed, why in (
        ("enlighten", REPORT, "standard input: its times are local ones"),
        ("enlighten", b"", "standard input: "),
        ("envoy-scrape", b"\xff\xfe", "standard input is not UTF-8 text"),
        ("envoy-scrape", b"\x1f\x8bcut", "standard input cannot be read (it is damaged or cut short)"),
    ):
        told = " ".join(run_import(form, "-", typed=typed, fails=True).output.split())
        assert why in told
        assert str(temporary) not in told
    assert list(temporary.iterdir()) == []


def test_without_room_for_the_copy_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    told = " ".join(run_import("envoy-scrape", "-", typed=LINES, fails=True).output.split())
    assert "standard input cannot be copied (No such file or directory): make room" in told

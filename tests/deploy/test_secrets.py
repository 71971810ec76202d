"""`make secrets`: made once, private, never printed, never changed."""

import re
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "secrets.sh"
NAMES = {
    "influxdb_admin_password", "influxdb_admin_token", "grafana_admin_password", "receiver_secret",
    "receiver_read_secret",
}  # fmt: skip


def make(folder: Path) -> str:
    answer = subprocess.run(["sh", str(SCRIPT), str(folder)], check=True, capture_output=True, text=True)
    assert answer.stderr == ""
    for file in folder.iterdir():
        assert file.read_text() not in answer.stdout
    return answer.stdout


def read_values(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_every_secret_is_made_private_and_different(tmp_path: Path):
    folder = tmp_path / "secrets"
    output = make(folder)
    made = read_values(folder)
    assert made.keys() == NAMES
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in made.values())
    assert len(set(made.values())) == len(NAMES)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert all(f"made  {folder}/{name}: " in output for name in NAMES)


def test_again_changes_nothing_but_makes_what_is_missing(tmp_path: Path):
    folder = tmp_path / "secrets"
    make(folder)
    (folder / "receiver_secret").write_text("my own, which I chose with care and typed")
    (folder / "receiver_secret").chmod(0o644)
    (folder / "grafana_admin_password").unlink()
    before = read_values(folder)
    output = make(folder)
    after = read_values(folder)
    assert {name: after[name] for name in before} == before
    assert after.keys() == NAMES
    assert output.count("made  ") == 1
    assert (folder / "receiver_secret").stat().st_mode & 0o777 == 0o600


def test_the_folder_is_not_part_of_the_repository():
    ignored = subprocess.run(
        ["git", "check-ignore", "secrets/receiver_secret"], cwd=SCRIPT.parent.parent, check=False, capture_output=True
    )
    assert ignored.returncode == 0

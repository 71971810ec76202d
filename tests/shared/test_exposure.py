"""What others may read or write is refused with the command that mends it; what was mounted for us is not."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.environment import UnreadableSettingError, read_secret_file
from shared.exposure import find_exposed_directory, find_exposed_list, find_exposed_secret
from shared.files import make_private_directory

ROOT = Path(__file__).parents[2]
ISOLATED = ("unshare", "--user", "--map-root-user", "--mount")


def mend(sentence: str | None) -> None:
    """Run the command that the sentence names."""
    assert sentence is not None
    subprocess.run(sentence.partition("run: ")[2], shell=True, check=True)  # noqa: S602 (what a person pastes)


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777, 0o2775])
def test_a_directory_that_others_can_write_is_refused_until_the_command_was_run(tmp_path, mode):
    path = tmp_path / "a state"
    path.mkdir()
    path.chmod(mode)
    mend(find_exposed_directory(path))
    assert find_exposed_directory(path) is None
    assert path.stat().st_mode & 0o022 == 0


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700])
def test_a_directory_that_only_its_owner_writes_is_good(tmp_path, mode):
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(mode)
    assert find_exposed_directory(path) is None


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o444, 0o660, 0o602, 0o666])
def test_a_secret_that_others_can_read_or_write_is_refused_until_the_command_was_run(tmp_path, mode):
    path = tmp_path / "it's secret"
    path.write_text("canary-secret")
    path.chmod(mode)
    with pytest.raises(UnreadableSettingError, match=r"^RECEIVER_SECRET_FILE: .*\(mode \d+\); run: ") as caught:
        read_secret_file("RECEIVER_SECRET_FILE", path)
    assert "canary-secret" not in str(caught.value)
    mend(find_exposed_secret(path))
    assert read_secret_file("RECEIVER_SECRET_FILE", path) == "canary-secret"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_secret_for_its_owner_and_a_chosen_group_is_good(tmp_path, mode):
    path = tmp_path / "secret"
    path.write_text("s")
    path.chmod(mode)
    assert find_exposed_secret(path) is None


def test_a_list_of_keys_may_be_read_and_not_written(tmp_path):
    path = tmp_path / "keys"
    path.write_text("")
    path.chmod(0o644)
    assert find_exposed_list(path) is None
    path.chmod(0o664)
    mend(find_exposed_list(path))
    assert find_exposed_list(path) is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o2775])
@pytest.mark.parametrize("find", [find_exposed_list, find_exposed_secret])
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_others_can_replace_is_refused_until_the_command_was_run(tmp_path, find, mode, linked):
    """Who may write a directory renames what is in it, whatever the mode of that file."""
    folder = tmp_path / "an open folder"
    folder.mkdir()
    path = folder / "keys"
    path.write_text("")
    path.chmod(0o600)
    folder.chmod(mode)
    asked = path
    if linked:
        asked = tmp_path / "link"
        asked.symlink_to(path)
    mend(find(asked))
    assert find(asked) is None
    assert folder.stat().st_mode & 0o022 == 0


def test_in_a_sticky_directory_what_is_there_is_safe_and_what_is_not_can_be_made(tmp_path):
    folder = tmp_path / "sticky"
    folder.mkdir()
    folder.chmod(0o1777)
    assert "can be replaced by other users" in (find_exposed_list(folder / "keys") or "")
    (folder / "keys").touch(0o600)
    assert find_exposed_list(folder / "keys") is None
    assert find_exposed_secret(folder / "keys") is None


def test_what_is_not_there_is_exposed_to_nobody(tmp_path):
    missing = tmp_path / "missing"
    assert (find_exposed_directory(missing), find_exposed_secret(missing), find_exposed_list(missing)) == (None,) * 3


def test_parents_that_are_made_are_private_too(tmp_path):
    before = os.umask(0)
    try:
        make_private_directory(tmp_path / "a" / "b" / "c")
        make_private_directory(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "a").rglob("*")} == {0o700}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def run_mounted(prefix: tuple[str, ...], script: str) -> str:
    """What a shell in mounts of its own says; the test is skipped where the system allows none."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*ISOLATED, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system allows no mounts of one's own")
    done = subprocess.run([*prefix, "sh", "-ec", script], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def look(function: str, path: Path) -> str:
    """A command that prints what a function finds."""
    return f"{sys.executable} -c 'import shared.exposure as e, pathlib; print(e.{function}(pathlib.Path(\"{path}\")))'"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that any user can enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_secret_on_a_read_only_mount_is_as_it_was_mounted(open_folder):
    """As Kubernetes, Docker and Podman hand them in: readable by every user of the container."""
    path = open_folder / "secret"
    path.write_text("s")
    path.chmod(0o444)
    mount = f"mount --bind {open_folder} {open_folder} && mount -o remount,bind,ro {open_folder}"
    assert run_mounted(ISOLATED, f"{mount} && {look('find_exposed_secret', path)}") == "None"
    path.chmod(0o666)
    assert "written by other users" in run_mounted(ISOLATED, f"{mount} && {look('find_exposed_secret', path)}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount for another user")
def test_the_root_of_a_volume_of_another_owner_is_as_it_was_mounted(open_folder):
    """Kubernetes makes it writable for its group (2775), k3s for all (0777)."""
    mount = f"mount -t tmpfs -o mode=2777 none {open_folder}"
    become = "setpriv --reuid=10001 --regid=10001 --clear-groups"
    seen = run_mounted(("unshare", "--mount"), f"{mount} && {become} {look('find_exposed_directory', open_folder)}")
    assert seen == "None"
    below = open_folder / "below"
    script = f"{mount} && mkdir {below} && chmod 777 {below} && {become} {look('find_exposed_directory', below)}"
    assert "chmod go-w" in run_mounted(("unshare", "--mount"), script)
    for function in ("find_exposed_list", "find_exposed_secret"):
        make = f"{mount} && touch {open_folder}/keys && chmod 600 {open_folder}/keys"
        seen = run_mounted(("unshare", "--mount"), f"{make} && {become} {look(function, open_folder / 'keys')}")
        assert seen == "None"

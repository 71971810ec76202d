"""Where a restore puts the sites file, and what it says where it cannot."""

from pathlib import Path

import pytest

from standalone.run import fill_in
from tests.receiver.backup.conftest import make_sqlite_installation


def test_a_sites_file_that_no_setting_names_yet_goes_where_make_run_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A new machine: the restore comes before the first `make run`, which finds it and makes no other one."""
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=1)
    old.call("backup", str(tmp_path / "b.tar.gz"))
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    del new.environment["RECEIVER_SITES_FILE"]
    new.enter()
    assert "`make run` takes it from there" in new.call("restore", str(tmp_path / "b.tar.gz")).output
    state = new.folder / "state"
    taken = Path(fill_in({"RECEIVER_STATE_DIR": str(state)}, None)["RECEIVER_SITES_FILE"])
    assert taken == state / "sites.yaml"
    assert taken.read_bytes() == old.read_state()["sites.yaml"]


def test_a_sites_file_that_cannot_be_written_is_restored_aside_and_its_place_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=1)
    old.call("backup", str(tmp_path / "b.tar.gz"))
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "sites.yaml"
    new.environment["RECEIVER_SITES_FILE"] = str(place)
    new.enter()
    assert f"{place} cannot be written, copy it there" in new.call("restore", str(tmp_path / "b.tar.gz")).output
    assert (new.folder / "state" / "restored-sites.yaml").read_bytes() == old.read_state()["sites.yaml"]

"""One command saves everything that a receiver must keep; another brings it back on a machine that has nothing."""

import io
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver import settings
from receiver.backup.archive import FORMAT, BackupLabel, pack
from receiver.settings import Sqlite
from receiver.stores.base import GatewayReading
from shared.readings import Reading
from tests.influxd.server import run_influxd
from tests.receiver.backup.conftest import START_MS, make_influxdb_installation, make_sqlite_installation
from tests.receiver.service import GATEWAY


def test_sqlite_comes_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill()
    file = tmp_path / "backup.tar.gz"
    old.call("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    new.call("restore", str(file))
    assert new.read_store() == old.read_store()
    assert len(new.read_store()["inverter"][0].points) == 24 * 30
    assert new.read_state() == old.read_state()
    assert set(new.read_state()) == {"keys", "readers.json", "read-key", "sites.yaml"}
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "new" / "state").iterdir()} == {0}
    assert "nobody may send yet" not in new.call("check").output
    assert [path.name for path in (tmp_path / "new" / "state").glob(".backup-*")] == []


def test_influxdb_comes_back_on_a_new_server_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "backup.tar.gz"
    with run_influxd(tmp_path / "influxd-old", onboarded=False) as server:
        old = make_influxdb_installation(tmp_path / "old", monkeypatch, server)
        old.call("setup")
        old.fill()
        said = old.call("backup", str(file)).output
        assert "saved bucket envoy: " in said
        assert "saved bucket envoy_live: " in said
        before, state = old.read_store(), old.read_state()
    with run_influxd(tmp_path / "influxd-new", onboarded=False) as server:
        new = make_influxdb_installation(tmp_path / "new", monkeypatch, server)
        new.call("restore", str(file))
        assert new.read_store() == before
        assert len(before["meter"][0].points) == 24 * 30
        assert new.read_state() == state
        assert "InfluxDB: the token may write and read the buckets" in new.call("check").output
        new.write([GatewayReading(GATEWAY, Reading("inverter", {"inverter": "i1"}, START_MS + 5, {"power": 1.0}))])
        assert len(new.read_store()["inverter"][0].points) == 24 * 30 + 1
        server.stop()
        server.start()
        assert len(new.read_store()["meter"][0].points) == 24 * 30


def test_a_backup_while_the_receiver_writes_holds_all_that_was_stored_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A writer has the file open, with rows in its journal and a transaction that has not ended."""
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=3)
    writer = sqlite3.connect(old.folder / "state" / "readings.sqlite", isolation_level=None)
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("DELETE FROM inverter WHERE timestamp > ?", (START_MS,))
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM inverter")
    old.call("backup", str(tmp_path / "b.tar.gz"))
    writer.execute("COMMIT")
    writer.close()
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    new.call("restore", str(tmp_path / "b.tar.gz"))
    assert [point.timestamp for point in new.read_store()["inverter"][0].points] == [START_MS]


def test_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`docker compose exec -T receiver envoy-receiver backup - > FILE`."""
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=3)
    command = [sys.executable, "-m", "receiver"]
    saved = subprocess.run([*command, "backup", "-"], check=True, capture_output=True)
    assert b"the backup is on standard output" in saved.stderr
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    subprocess.run([*command, "restore", "-"], check=True, input=saved.stdout, capture_output=True)
    assert new.read_store() == old.read_store()
    assert new.read_state() == old.read_state()


def test_a_list_of_readers_that_was_lost_before_the_backup_is_lost_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The restored receiver has the same read key, so it must not take the list for one that never existed."""
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=1)
    (old.folder / "state" / "readers.json").unlink()
    old.call("backup", str(tmp_path / "b.tar.gz"))
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    new.call("restore", str(tmp_path / "b.tar.gz"))
    assert "was there and is gone" in new.call("token", "list", fails=True).output


def test_readings_that_are_there_are_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=3)
    before = old.read_store()
    old.call("backup", str(tmp_path / "b.tar.gz"))
    assert "never replaces readings" in old.call("restore", str(tmp_path / "b.tar.gz"), fails=True).output
    assert old.read_store() == before


def test_the_journal_of_a_store_that_was_moved_away_is_not_played_into_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A receiver that was killed leaves one beside its file; who moves only the file must not damage the restored."""
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=3)
    old.call("backup", str(tmp_path / "b.tar.gz"))
    path = old.folder / "state" / "readings.sqlite"
    path.rename(tmp_path / "aside.sqlite")
    journal = path.with_name("readings.sqlite-wal")
    journal.write_bytes(b"of the old file")
    assert "-wal" in old.call("restore", str(tmp_path / "b.tar.gz"), fails=True).output
    journal.unlink()
    old.call("restore", str(tmp_path / "b.tar.gz"))


def test_a_bucket_that_holds_readings_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = str(tmp_path / "b.tar.gz")
    with run_influxd(tmp_path / "influxd", onboarded=False) as server:
        old = make_influxdb_installation(tmp_path / "old", monkeypatch, server)
        old.call("setup")
        old.fill(hours=3)
        old.call("backup", file)
        said = old.call("restore", file, fails=True).output
        assert "the bucket envoy holds readings, and a restore never replaces any" in said
        before = old.read_store()
        other = make_influxdb_installation(tmp_path / "other", monkeypatch, server, INFLUXDB_V2_BUCKET="again")
        other.call("restore", file)
        assert other.read_store() == before == old.read_store()
        shared = {"INFLUXDB_V2_BUCKET": "third", "RECEIVER_LIVE_BUCKET": "third"}
        one = make_influxdb_installation(tmp_path / "one", monkeypatch, server, **shared)
        assert "the backup holds 2 bucket(s), but the settings name 1" in one.call("restore", file, fails=True).output


@pytest.mark.parametrize("damage", [lambda _: b"no tar at all" * 1000, lambda data: data[:1500]])
def test_a_restore_that_fails_leaves_nothing_half_done_and_may_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
):
    """The last shard is damaged, so much is restored before that is seen. The server itself would take it."""
    file, damaged = tmp_path / "b.tar.gz", tmp_path / "damaged.tar.gz"
    with run_influxd(tmp_path / "influxd", onboarded=False) as server:
        old = make_influxdb_installation(tmp_path / "old", monkeypatch, server)
        old.call("setup")
        old.fill()
        old.call("backup", str(file))
        before = old.read_store()
        with tarfile.open(file) as whole:
            whole.extractall(tmp_path / "parts", filter="data")
        shards = sorted((tmp_path / "parts" / "influxdb").glob("*.tar"), key=lambda path: int(path.stem))
        shards[-1].write_bytes(damage(shards[-1].read_bytes()))
        pack(tmp_path / "parts", BackupLabel(FORMAT, 0, "influxdb"), damaged)
        new = make_influxdb_installation(tmp_path / "new", monkeypatch, server, INFLUXDB_V2_BUCKET="again")
        assert "is damaged or broke off" in new.call("restore", str(damaged), fails=True).output
        names = {bucket["name"] for bucket in server.call("GET", "/api/v2/buckets").json()["buckets"]}
        assert not {"again", "again_live"} & names
        new.call("restore", str(file))
        assert new.read_store() == before


def test_a_shard_of_which_the_server_makes_nothing_is_no_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A whole archive, with a data file in a place where this server does not look for any."""
    with run_influxd(tmp_path / "influxd", onboarded=False) as server:
        here = make_influxdb_installation(tmp_path / "here", monkeypatch, server)
        here.call("setup")
        here.fill(hours=1)
        here.call("backup", str(tmp_path / "b.tar.gz"))
        with tarfile.open(tmp_path / "b.tar.gz") as whole:
            whole.extractall(tmp_path / "parts", filter="data")
        for shard in (tmp_path / "parts" / "influxdb").glob("*.tar"):
            with tarfile.open(shard, "w") as archive:
                member = tarfile.TarInfo("folder.tsm")
                member.type = tarfile.DIRTYPE
                archive.addfile(member, io.BytesIO())
        pack(tmp_path / "parts", BackupLabel(FORMAT, 0, "influxdb"), tmp_path / "empty.tar.gz")
        new = make_influxdb_installation(tmp_path / "new", monkeypatch, server, INFLUXDB_V2_BUCKET="again")
        assert "made nothing of it" in new.call("restore", str(tmp_path / "empty.tar.gz"), fails=True).output


def test_files_that_differ_are_kept_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=1)
    old.call("backup", str(tmp_path / "b.tar.gz"))
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    (new.folder / "sites.yaml").write_text("mine")
    new.call("restore", str(tmp_path / "b.tar.gz"))
    assert (new.folder / "sites.yaml.before-restore").read_text() == "mine"
    assert new.read_state() == old.read_state()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_half_a_backup_is_refused_before_anything_is_made_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
):
    old = make_sqlite_installation(tmp_path / "old", monkeypatch)
    old.fill(hours=50)
    file = tmp_path / "b.tar.gz"
    old.call("backup", str(file))
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    new = make_sqlite_installation(tmp_path / "new", monkeypatch)
    assert "not a whole backup" in new.call("restore", str(file), fails=True).output
    assert list((new.folder / "state").iterdir()) == []


def test_what_is_no_backup_or_is_in_the_way_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    here = make_sqlite_installation(tmp_path / "here", monkeypatch)
    assert "does not exist" in here.call("restore", str(tmp_path / "nowhere"), fails=True).output
    with tarfile.open(tmp_path / "other.tar.gz", "w:gz") as archive:
        archive.add(__file__, "../../readme")
    assert "not a whole backup" in here.call("restore", str(tmp_path / "other.tar.gz"), fails=True).output
    assert "choose another name" in here.call("backup", str(tmp_path / "other.tar.gz"), fails=True).output
    assert "nothing is stored" in here.call("backup", str(tmp_path / "new.tar.gz"), fails=True).output
    assert not (tmp_path / "new.tar.gz").exists()
    here.fill(hours=1)
    assert "cannot be written" in here.call("backup", str(tmp_path / "no" / "folder"), fails=True).output
    file = tmp_path / "b.tar.gz"
    here.call("backup", str(file))
    here.environment |= {"RECEIVER_STORE": "influxdb", "INFLUXDB_ADMIN_TOKEN": "t"}
    assert "RECEIVER_STORE=sqlite" in here.call("restore", str(file), fails=True).output


def test_a_damaged_store_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    here = make_sqlite_installation(tmp_path / "here", monkeypatch)
    here.fill(hours=200)
    store = settings.load().store
    assert isinstance(store, Sqlite)
    path = store.path
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3 : len(damaged) // 3 + 9000] = b"\x55" * 9000
    path.write_bytes(damaged)
    assert "damaged" in here.call("backup", str(tmp_path / "b.tar.gz"), fails=True).output
    assert not (tmp_path / "b.tar.gz").exists()


def test_without_the_administrator_influxdb_is_backed_up_by_its_own_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with run_influxd(tmp_path / "influxd") as server:
        here = make_influxdb_installation(tmp_path / "here", monkeypatch, server, INFLUXDB_ADMIN_TOKEN="canary-wrong")
        assert "must be the administrator's" in here.call("backup", str(tmp_path / "b.tar.gz"), fails=True).output
        del here.environment["INFLUXDB_ADMIN_TOKEN"]
        here.enter()
        assert "set INFLUXDB_ADMIN_TOKEN_FILE" in here.call("backup", str(tmp_path / "b.tar.gz"), fails=True).output


def test_a_store_without_readings_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Else a command that looked at another place than the receiver would say "saved" for nothing at all."""
    empty = make_sqlite_installation(tmp_path / "empty", monkeypatch)
    file = tmp_path / "backup.tar.gz"
    assert "nothing is stored in" in empty.call("backup", str(file), fails=True).output
    empty.write([])
    assert (tmp_path / "empty" / "state" / "readings.sqlite").exists()
    refused = empty.call("backup", str(file), fails=True).output
    assert "nothing is stored in" in refused
    assert "RECEIVER_STATE_DIR" in refused
    assert not file.exists()


def test_an_influxdb_without_readings_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with run_influxd(tmp_path / "influxd", onboarded=False) as server:
        empty = make_influxdb_installation(tmp_path / "empty", monkeypatch, server)
        empty.call("setup")
        assert "hold no readings" in empty.call("backup", str(tmp_path / "b.tar.gz"), fails=True).output
    assert not (tmp_path / "b.tar.gz").exists()

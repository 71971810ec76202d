"""Saves buckets of a running InfluxDB and restores them, by the server's own snapshots of its shards.

The command `influx backup` does the same; it is not in our image, and no library speaks this protocol. The
administrator's token is needed. Users, tokens and dashboards of the server are not saved.

The server answers 200 to anything that it is sent as a shard, also to half a shard or to nonsense (seen with 2.7.12).
So a shard is examined before it is kept and before it is sent, and what the server made of it is fetched back.
"""

import contextlib
import tarfile
from collections.abc import Iterator, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any, Self

import msgspec

from receiver.errors import BackupError
from receiver.settings import InfluxDB
from receiver.stores.influxdb.connection import InfluxConnection, InfluxReply, InfluxStatusError, InfluxUnreachableError

_TIMEOUT_S = 20
_READ_TIMEOUT_S = 600  # a shard of a week is collected and compressed before the first byte comes
_MANIFESTS = "buckets.json"


class Snapshots:
    """One server, entered as its administrator. Use it as a context manager.

    Raises BackupError from every method.
    """

    def __init__(self, influxdb: InfluxDB) -> None:
        if influxdb.admin_token is None:
            raise BackupError(
                "the readings lie in InfluxDB, and only its administrator may take a backup: set "
                "INFLUXDB_ADMIN_TOKEN_FILE, or back up that database with its own tools"
            )
        self._org = influxdb.org
        self._names = influxdb.bucket_names
        self._connection = InfluxConnection(
            influxdb.url, influxdb.admin_token, timeout_s=_TIMEOUT_S, read_timeout_s=_READ_TIMEOUT_S
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def save(self, folder: Path) -> Iterator[str]:
        """Save our buckets below `folder`; a sentence for each."""
        folder.mkdir()
        known = {
            manifest["bucketName"]: manifest
            for manifest in self._read_manifests()
            if manifest["organizationName"] == self._org
        }
        missing = [name for name in self._names if name not in known]
        if missing:
            raise BackupError(f"InfluxDB has no bucket {missing[0]} in the organisation {self._org}: nothing to save")
        if not any(map(self._is_filled, self._names)):
            raise BackupError(f"the buckets {' and '.join(self._names)} hold no readings, so there is nothing to save")
        ours = [known[name] for name in self._names]
        (folder / _MANIFESTS).write_bytes(msgspec.json.encode(ours))
        for manifest in ours:
            shards = [shard for shard in _list_shards(manifest) if self._fetch(shard, _name_file(folder, shard))]
            yield f"saved bucket {manifest['bucketName']}: {len(shards)} shard(s)"

    def check_empty(self) -> None:
        """Refuse to restore over readings: none of our buckets may hold anything."""
        for name in self._names:
            if self._is_filled(name):
                raise BackupError(
                    f"the bucket {name} holds readings, and a restore never replaces any: rename it in InfluxDB, or "
                    "set INFLUXDB_V2_BUCKET and RECEIVER_LIVE_BUCKET to new names"
                )

    def _is_filled(self, name: str) -> bool:
        answer = self._call("GET", "/query", [("db", name), ("q", "SHOW MEASUREMENTS LIMIT 1")])
        return "series" in msgspec.json.decode(answer.body)["results"][0]

    def restore(self, folder: Path) -> Iterator[str]:
        """Make our buckets, which must be empty or missing, from what was saved; a sentence for each."""
        saved = msgspec.json.decode((folder / _MANIFESTS).read_bytes())
        if len(saved) != len(self._names):
            raise BackupError(
                f"the backup holds {len(saved)} bucket(s), but the settings name {len(self._names)}: set "
                "RECEIVER_LIVE_BUCKET as it was when the backup was made"
            )
        found = self._call("GET", "/api/v2/orgs", [("org", self._org)])
        organisation = msgspec.json.decode(found.body)["orgs"][0]["id"]
        try:
            for manifest, name in zip(saved, self._names, strict=True):
                made = {**manifest, "bucketName": name, "organizationName": self._org, "organizationID": organisation}
                yield f"restored bucket {name}: {self._make(made, folder)} shard(s)"
        except BackupError:
            for name in self._names:  # half a history must not look like a whole one
                self._drop(name)
            raise

    def _make(self, manifest: Any, folder: Path) -> int:
        """One bucket with its shards; how many there were."""
        self._drop(manifest["bucketName"])
        made = self._call("POST", "/api/v2/restore/bucketMetadata", body=manifest)
        mappings = msgspec.json.decode(made.body)["shardMappings"]
        new_ids = {mapping["oldId"]: mapping["newId"] for mapping in mappings}
        shards = [shard for shard in _list_shards(manifest) if _name_file(folder, shard).exists()]
        for shard in shards:
            self._send(new_ids[shard], _name_file(folder, shard))
        return len(shards)

    def _read_manifests(self) -> Any:
        answer = self._call("GET", "/api/v2/backup/metadata")
        header = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
        for part in BytesParser(policy=HTTP).parsebytes(header + answer.body).iter_parts():
            if part.get_param("name", header="content-disposition") == "buckets":
                return msgspec.json.decode(part.get_content())
        raise BackupError("InfluxDB does not list its buckets for a backup: this version is not supported")

    def _fetch(self, shard: int, path: Path) -> bool:
        """Write a shard to a file; whether there was one."""
        address = f"/api/v2/backup/shards/{shard}"
        try:
            with path.open("wb") as file, self._convert_errors(address):
                file.writelines(self._connection.download(address))
        except _MissingError:
            path.unlink()
            return False  # it expired since the list was made
        _list_data_files(path)
        return True

    def _send(self, shard: int, path: Path) -> None:
        sent = _list_data_files(path)
        address = f"/api/v2/restore/shards/{shard}"
        with path.open("rb") as file, self._convert_errors(address):
            self._connection.upload(address, file)
        made = path.with_suffix(".made")
        # Not compared by name: the server may have merged files by now. It takes all files of a shard, or none.
        if sent and not (self._fetch(shard, made) and _list_data_files(made)):
            raise BackupError(f"InfluxDB took shard {path.stem} of the backup and made nothing of it: see its log")
        made.unlink(missing_ok=True)

    def _drop(self, name: str) -> None:
        try:
            found = self._call("GET", "/api/v2/buckets", [("org", self._org), ("name", name)])
        except _MissingError:
            return
        for bucket in msgspec.json.decode(found.body)["buckets"]:
            self._call("DELETE", f"/api/v2/buckets/{bucket['id']}")

    def _call(self, method: str, path: str, query: Sequence[tuple[str, str]] = (), *, body: Any = None) -> InfluxReply:
        with self._convert_errors(path):
            return self._connection.send(method, path, query=query, body=body)

    @contextlib.contextmanager
    def _convert_errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except InfluxStatusError as error:
            hint = ": INFLUXDB_ADMIN_TOKEN must be the administrator's" if error.status in {401, 403} else ""
            sentence = f"InfluxDB answers {error.status} to {path}{hint}"
            raise (_MissingError if error.status == 404 else BackupError)(sentence) from None
        except InfluxUnreachableError as error:
            raise BackupError(str(error)) from None


class _MissingError(BackupError):
    """The server does not have what was asked for."""


def _list_shards(manifest: Any) -> list[int]:
    return [
        shard["id"]
        for policy in manifest["retentionPolicies"]
        for group in policy["shardGroups"]
        for shard in group["shards"]
    ]


def _name_file(folder: Path, shard: int) -> Path:
    return folder / f"{int(shard)}.tar"


def _list_data_files(path: Path) -> list[str]:
    """Names of the data files of a shard. Raises BackupError if it is not whole."""
    try:
        with tarfile.open(path, "r:") as shard:
            return [name for name in shard.getnames() if name.endswith(".tsm")]
    except tarfile.TarError as error:
        raise BackupError(f"shard {path.stem} is damaged or broke off: try again, or take another backup") from error

"""Buckets of InfluxDB out of and into a running server, by the server's own snapshots of its shards.

This is what its command `influx backup` does; that command is not in our image, and no library speaks this protocol.
It needs the administrator's token. Users, tokens and dashboards of the server are not part of it.

The server says 200 to whatever it is sent as a shard, also to half a shard or to nonsense (seen with 2.7.12). So a
shard is looked through before it is kept and before it is sent, and what the server made of it is fetched back.
"""

import contextlib
import tarfile
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from receiver.database_settings import InfluxSettings
from receiver.errors import BackupError

_TIMEOUT = httpx.Timeout(20, read=600)  # a shard of a week is collected and compressed before the first byte comes
_MANIFESTS = "buckets.json"


class Snapshots:
    """One server, entered as its administrator. Use it as a context manager.

    Raises BackupError from every method.
    """

    def __init__(self, influxdb: InfluxSettings) -> None:
        if influxdb.admin_token is None:
            raise BackupError(
                "the readings lie in InfluxDB, and only its administrator may take a backup: set "
                "INFLUXDB_ADMIN_TOKEN_FILE, or back up that database with its own tools"
            )
        self._org = influxdb.org
        self._names = dict.fromkeys((influxdb.bucket, influxdb.live_bucket))
        self._http = httpx.Client(
            base_url=influxdb.url,
            headers={"authorization": f"Token {influxdb.admin_token}", "accept-encoding": "identity"},
            timeout=_TIMEOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def save(self, folder: Path) -> Iterator[str]:
        """Save our buckets below `folder`; a sentence for each."""
        folder.mkdir()
        known = {
            manifest["bucketName"]: manifest
            for manifest in self._manifests()
            if manifest["organizationName"] == self._org
        }
        missing = [name for name in self._names if name not in known]
        if missing:
            raise BackupError(f"InfluxDB has no bucket {missing[0]} in the organisation {self._org}: nothing to save")
        ours = [known[name] for name in self._names]
        (folder / _MANIFESTS).write_bytes(msgspec.json.encode(ours))
        for manifest in ours:
            shards = [shard for shard in _shards(manifest) if self._fetch(shard, _file(folder, shard))]
            yield f"saved bucket {manifest['bucketName']}: {len(shards)} shard(s)"

    def check_empty(self) -> None:
        """Refuse to restore over readings: none of our buckets may hold anything."""
        for name in self._names:
            answer = self._call("GET", "/query", params={"db": name, "q": "SHOW MEASUREMENTS LIMIT 1"})
            if "series" in answer.json()["results"][0]:
                raise BackupError(
                    f"the bucket {name} holds readings, and a restore never replaces any: rename it in InfluxDB, or "
                    "set INFLUXDB_V2_BUCKET and RECEIVER_LIVE_BUCKET to new names"
                )

    def bring_back(self, folder: Path) -> Iterator[str]:
        """Make our buckets, which must be empty or missing, of what was saved; a sentence for each."""
        saved = msgspec.json.decode((folder / _MANIFESTS).read_bytes())
        if len(saved) != len(self._names):
            raise BackupError(
                f"the backup holds {len(saved)} bucket(s), but the settings name {len(self._names)}: set "
                "RECEIVER_LIVE_BUCKET as it was when the backup was made"
            )
        organisation = self._call("GET", "/api/v2/orgs", params={"org": self._org}).json()["orgs"][0]["id"]
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
        made = self._call("POST", "/api/v2/restore/bucketMetadata", json=manifest).json()
        new_ids = {mapping["oldId"]: mapping["newId"] for mapping in made["shardMappings"]}
        shards = [shard for shard in _shards(manifest) if _file(folder, shard).exists()]
        for shard in shards:
            self._send(new_ids[shard], _file(folder, shard))
        return len(shards)

    def _manifests(self) -> Any:
        answer = self._call("GET", "/api/v2/backup/metadata")
        header = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
        for part in BytesParser(policy=HTTP).parsebytes(header + answer.content).iter_parts():
            if part.get_param("name", header="content-disposition") == "buckets":
                return msgspec.json.decode(part.get_content())
        raise BackupError("InfluxDB does not list its buckets for a backup: this version is not supported")

    def _fetch(self, shard: int, path: Path) -> bool:
        """Write a shard to a file; whether there was one."""
        with (
            self._faults(f"/api/v2/backup/shards/{shard}"),
            self._http.stream("GET", f"/api/v2/backup/shards/{shard}") as answer,
        ):
            if answer.status_code == httpx.codes.NOT_FOUND:
                return False  # it expired since the list was made
            answer.raise_for_status()
            with path.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
        _data_files(path)
        return True

    def _send(self, shard: int, path: Path) -> None:
        sent = _data_files(path)
        with path.open("rb") as file:
            self._call("POST", f"/api/v2/restore/shards/{shard}", content=file)
        made = path.with_suffix(".made")
        # Not compared by name: the server may have merged files by now. It takes all files of a shard, or none.
        if sent and not (self._fetch(shard, made) and _data_files(made)):
            raise BackupError(f"InfluxDB took shard {path.stem} of the backup and made nothing of it: see its log")
        made.unlink(missing_ok=True)

    def _drop(self, name: str) -> None:
        found = self._call("GET", "/api/v2/buckets", params={"org": self._org, "name": name}, may_miss=True)
        for bucket in found.json().get("buckets", []):
            self._call("DELETE", f"/api/v2/buckets/{bucket['id']}")

    def _call(self, method: str, path: str, *, may_miss: bool = False, **arguments: Any) -> httpx.Response:
        with self._faults(path):
            answer = self._http.request(method, path, **arguments)
            if not (may_miss and answer.status_code == httpx.codes.NOT_FOUND):
                answer.raise_for_status()
            return answer

    @contextlib.contextmanager
    def _faults(self, path: str) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            hint = ": INFLUXDB_ADMIN_TOKEN must be the administrator's" if status in {401, 403} else ""
            raise BackupError(f"InfluxDB answers {status} to {path}{hint}") from None
        except httpx.HTTPError as error:
            raise BackupError(f"InfluxDB does not answer at {self._http.base_url} ({type(error).__name__})") from None


def _shards(manifest: Any) -> list[int]:
    return [
        shard["id"]
        for policy in manifest["retentionPolicies"]
        for group in policy["shardGroups"]
        for shard in group["shards"]
    ]


def _file(folder: Path, shard: int) -> Path:
    return folder / f"{int(shard)}.tar"


def _data_files(path: Path) -> list[str]:
    """Names of the data files of a shard. Raises BackupError if it is not whole."""
    try:
        with tarfile.open(path, "r:") as shard:
            return [name for name in shard.getnames() if name.endswith(".tsm")]
    except tarfile.TarError as error:
        raise BackupError(f"shard {path.stem} is damaged or broke off: try again, or take another backup") from error

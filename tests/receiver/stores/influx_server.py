"""A real InfluxDB with the receiver's buckets, for the tests of the store that writes to it."""

import contextlib
import email.utils
import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
from hypothesis import HealthCheck, settings

from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd, run_influxd

BUCKET, LIVE_BUCKET = "envoy", "envoy_live"

exact = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""Examples that cross to a real server: fewer than of pure functions."""


class InfluxTestServer:
    """A server, and what tests ask of it without our own code."""

    def __init__(self, influxd: Influxd) -> None:
        self.influxd = influxd
        self._names = itertools.count()
        self._http = httpx.Client(base_url=influxd.url, headers={"authorization": f"Token {ADMIN_TOKEN}"}, timeout=30)

    @classmethod
    @contextlib.contextmanager
    def run(cls, folder: Path, *options: str) -> Iterator["InfluxTestServer"]:
        """A fresh one with both buckets."""
        with run_influxd(folder / "influxd", *options) as influxd:
            influxd.make_bucket(BUCKET)
            influxd.make_bucket(LIVE_BUCKET)
            server = cls(influxd)
            try:
                yield server
            finally:
                server._http.close()

    def make_bucket(self) -> str:
        """A new, empty bucket."""
        name = f"fresh-{next(self._names)}"
        self.influxd.make_bucket(name)
        return name

    def delete_bucket(self, name: str) -> None:
        """Remove a bucket and all that is in it."""
        (bucket,) = self.influxd.call("GET", "/api/v2/buckets", name=name).json()["buckets"]
        self.influxd.call("DELETE", f"/api/v2/buckets/{bucket['id']}")

    def make_token(self, *, write: bool) -> tuple[str, str]:
        """Id and text of a new token that may read both buckets, and perhaps write them."""
        organisation = self.influxd.find_organisation()
        found = self.influxd.call("GET", "/api/v2/buckets").json()["buckets"]
        permissions = [
            {"action": action, "resource": {"type": "buckets", "id": bucket["id"], "orgID": organisation}}
            for bucket in found
            if bucket["name"] in (BUCKET, LIVE_BUCKET)
            for action in (["read", "write"] if write else ["read"])
        ]
        body = {"orgID": organisation, "permissions": permissions}
        made = self.influxd.call("POST", "/api/v2/authorizations", body).json()
        return made["id"], made["token"]

    def now_ms(self) -> int:
        """The server's time, which decides what is too old for a bucket."""
        date = email.utils.parsedate_to_datetime(self._http.get("/health").headers["date"])
        return round(date.timestamp() * 1000)

    def post(self, bucket: str, data: bytes) -> httpx.Response:
        """Write line protocol."""
        query = {"org": ORG, "bucket": bucket, "precision": "ms"}
        return self._http.post("/api/v2/write", params=query, content=data)

    def read_points(self, bucket: str, kind: str) -> list[tuple[dict[str, str], int, dict[str, float | str]]]:
        """Tags, time and fields of everything that is stored of a kind."""
        form = {"db": bucket, "q": f'SELECT * FROM "{kind}" GROUP BY *', "epoch": "ms"}  # noqa: S608 (a name of the dictionary)
        answer = self._http.post("/query", data=form)
        answer.raise_for_status()
        found = []
        for series in answer.json()["results"][0].get("series", []):
            for time, *values in series["values"]:
                named = dict(zip(series["columns"][1:], values, strict=True))
                fields = {name: value for name, value in named.items() if value is not None}
                found.append((series.get("tags", {}), time, fields))
        return found

"""A strict EmonCMS: what its input module answers, and feeds of 10 s as PHPFina keeps them.

As in emoncms 11.16.8: 200 for nearly everything, an empty body for a read key, null is 0, the last of a slot wins.
"""

import json
import re
from urllib.parse import parse_qs, urlsplit

from tests.fake_http import CannedReply, FakeRequest

WRITE_KEY = "0123456789abcdef0123456789abcdef"
READ_KEY = "fedcba9876543210fedcba9876543210"
FEED_S = 10
_NAME = re.compile(r"[\w\s.-]+")


class FakeEmonCms:
    """One account.

    Attributes:
        posts: Path and rows (time, node, values) of every request that stored something, in order.
        feeds: By node, name and start of the slot.
        disordered: Rows that came behind a newer one of their node.
    """

    def __init__(self) -> None:
        self.posts: list[tuple[str, list[tuple[int, str, dict[str, float]]]]] = []
        self.feeds: dict[tuple[str, str], dict[int, float]] = {}
        self.disordered: list[tuple[int, str]] = []
        self.disabled = False
        self.is_away = False
        self.refused_name = ""
        self._newest: dict[str, int] = {}

    def answer(self, request: FakeRequest) -> CannedReply:
        url = urlsplit(request.path)
        assert url.path.startswith("/emoncms/")
        assert WRITE_KEY not in request.path
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.is_away or key not in (WRITE_KEY, READ_KEY):
            return CannedReply(503) if self.is_away else CannedReply(401, b"Invalid API key")
        path = url.path.removeprefix("/emoncms/")
        if path == "input/isdisabled":
            return CannedReply(200, b"true" if self.disabled and key == WRITE_KEY else b"false")
        if path not in ("input/post", "input/bulk"):
            return CannedReply(406)
        if key == READ_KEY:
            return CannedReply(200)
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        if path == "input/post":
            return self._post(form)
        assert parse_qs(url.query) == {"time": ["0"]}
        return self._bulk(form)

    def _post(self, form: dict[str, str]) -> CannedReply:
        if "fulljson" not in form:
            return _fail("Request contains no data via csv, json or data tag")
        values = json.loads(form["fulljson"], parse_constant=_refuse_constant)
        if any(isinstance(value, dict | list) for value in values.values()):
            return _fail("Format error, json value is not numeric")
        if not self._is_fine(values):
            return _fail("Format error, refused")
        self._store("input/post", [(int(form["time"]), form["node"], values)])
        return CannedReply(200, b'{"success": true}')

    def _bulk(self, form: dict[str, str]) -> CannedReply:
        rows = json.loads(form["data"], parse_constant=_refuse_constant)
        assert 0 < len(rows) <= 500
        stored: list[tuple[int, str, dict[str, float]]] = []
        for time, node, values in rows:
            if not self._is_fine(values):
                self._store("input/bulk", stored)  # an error in the middle leaves what stands before it
                return _fail("Format error, refused")
            stored.append((time, node, values))
        self._store("input/bulk", stored)
        return CannedReply(200, b"ok")

    def _is_fine(self, values: dict[str, float]) -> bool:
        return self.refused_name not in values if self.refused_name else True

    def _store(self, path: str, rows: list[tuple[int, str, dict[str, float]]]) -> None:
        self.posts.append((path, rows))
        for time, node, values in rows:
            assert values
            if time < self._newest.get(node, 0):
                self.disordered.append((time, node))
            self._newest[node] = max(self._newest.get(node, 0), time)
            for name, value in values.items():
                assert _NAME.fullmatch(name)
                stored = float(value or 0)  # null is 0
                self.feeds.setdefault((node, name), {})[time // FEED_S * FEED_S] = stored


def _fail(message: str) -> CannedReply:
    return CannedReply(200, json.dumps({"success": False, "message": message}).encode())


def _refuse_constant(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")

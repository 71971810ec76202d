"""The page at `/`: files that the build made (`receiver/web/build.sh`), each with headers that allow nothing else.

They are read once, at the start, and served from memory by their exact names: no address can reach any other file.
"""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

BUILT: Final = Path(__file__).parent.parent / "web" / "dist"
"""Where the build puts the page."""

_START = "index.html"
_HASHED = "assets/"
"""Files below it have a hash of their content in their names, so they never change."""
_TYPES: Mapping[str, str] = MappingProxyType({
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
})  # fmt: skip
_HEADERS: Mapping[str, str] = MappingProxyType({
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
})  # fmt: skip
_UNCHANGING = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_MISSING = "The page was not built: run `make web` in the source tree and start the receiver again. The API works.\n"


class _File(NamedTuple):
    content: bytes
    packed: bytes
    headers: Mapping[str, str]


class PageRoutes:
    """The routes of the page.

    Args:
        directory: The built files; where there are none, `/` says so.
    """

    def __init__(self, directory: Path = BUILT) -> None:
        self._files = {
            path.relative_to(directory).as_posix(): _read(path, path.relative_to(directory).as_posix())
            for path in sorted(directory.rglob("*"))
            if path.suffix in _TYPES and path.is_file()
        }

    def make_routes(self) -> list[BaseRoute]:
        """One for each file; GET and HEAD."""
        if _START not in self._files:
            return [Route("/", _answer_missing)]
        return [
            Route("/", self.show),
            *(Route(f"/{name}", self.show) for name in self._files if name != _START),
        ]

    async def show(self, request: Request) -> Response:
        """The file of this address, packed where the browser takes that; 304 where it has it already."""
        file = self._files[_find_name(request)]
        if file.headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=dict(file.headers))
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**file.headers, "content-encoding": "gzip"})
        return Response(file.content, headers=dict(file.headers))


async def _answer_missing(_: Request) -> Response:
    return PlainTextResponse(_MISSING, status_code=404, headers={**_HEADERS, "cache-control": "no-store"})


def _find_name(request: Request) -> str:
    """The file of a route: the path without what a proxy put before it."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", "")).lstrip("/")
    return path or _START


def _read(path: Path, name: str) -> _File:
    content = path.read_bytes()
    headers = {
        **_HEADERS,
        "content-type": _TYPES[path.suffix],
        "cache-control": _UNCHANGING if name.startswith(_HASHED) else _ASK_AGAIN,
        "etag": f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"',
        "vary": "Accept-Encoding",
    }
    return _File(content, gzip.compress(content, mtime=0), headers)

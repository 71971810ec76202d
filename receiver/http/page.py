"""The page at `/`: files that the build made (`receiver/web/build.sh`), each with headers that allow nothing else.

They are read once, at the start, and served from memory by their exact names: no address can reach any other file.
"""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

BUILT: Final = Path(__file__).parent.parent / "web" / "dist"
"""Where the build puts the page."""

_START = "index.html"
_MANIFEST = "manifest.webmanifest"
"""What a phone installs: the page gives it the name of the system as a parameter."""
_LONGEST_NAME = 100
_HASHED = "assets/"
"""Files below it have a hash of their content in their names, so they never change."""
_TYPES: Mapping[str, str] = MappingProxyType({
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
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
        name = _find_name(request)
        file = self._files[name]
        if name == _MANIFEST and (given := request.query_params.get("name")):
            return _answer_manifest(file, given)
        if file.headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=dict(file.headers))
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**file.headers, "content-encoding": "gzip"})
        return Response(file.content, headers=dict(file.headers))


def _answer_manifest(file: _File, name: str) -> Response:
    """The manifest with a name of the reader's own: it is in nobody's files, and goes to nobody else."""
    short = name[:_LONGEST_NAME]
    content = msgspec.json.encode({**msgspec.json.decode(file.content), "name": short, "short_name": short})
    return Response(content, headers={**_HEADERS, "content-type": _TYPES[".webmanifest"], "cache-control": _ASK_AGAIN})


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

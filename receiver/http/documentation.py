"""The API's documentation at `/docs`: Swagger UI from this machine, because nothing is asked of any other host.

The library `fastapi-offline` brings the viewer's files; nothing but these files and the description of the API can run
or be read there.
"""

import importlib.resources
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

DOCUMENTATION: Final = "/docs"
_STATIC: Final = importlib.resources.files("fastapi_offline") / "static"
_FILES: Mapping[str, str] = MappingProxyType({
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
})  # fmt: skip
_START = "start.js"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>envoy-receiver: questions and answers</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="viewer"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_SCRIPT = """\
SwaggerUIBundle({ url: "openapi.json", dom_id: "#viewer", deepLinking: true, validatorUrl: null });
"""


class DocumentationRoutes:
    """The page and the files of its viewer. The files are read once, here."""

    def __init__(self) -> None:
        self._files = {name: (_STATIC / name).read_bytes() for name in _FILES}

    def make_routes(self) -> list[BaseRoute]:
        """One for each file."""
        return [
            Route(DOCUMENTATION, self.show_page),
            Route(f"{DOCUMENTATION}/{_START}", self.show_start),
            Route(f"{DOCUMENTATION}/{{name}}", self.show_file),
        ]

    async def show_page(self, _: Request) -> Response:
        """The page."""
        return _answer(_PAGE.encode(), "text/html; charset=utf-8")

    async def show_start(self, _: Request) -> Response:
        """What starts the viewer: a file of its own, so that no script has to stand in the page."""
        return _answer(_SCRIPT.encode(), "text/javascript; charset=utf-8")

    async def show_file(self, request: Request) -> Response:
        """A file of the viewer; 404 for every other name."""
        name = request.path_params["name"]
        if name not in self._files:
            return Response(status_code=404)
        return _answer(self._files[name], _FILES[name])


def _answer(content: bytes, media_type: str) -> Response:
    headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "cache-control": "no-cache"}
    return Response(content, media_type=media_type, headers=headers)

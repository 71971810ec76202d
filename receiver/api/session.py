"""The session of a browser: a reader token becomes a cookie, because an EventSource cannot send headers."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.api.access import COOKIE, Access
from receiver.api.downloads import DownloadFormat
from receiver.api.parameters import WithoutParameters
from receiver.api.parquet import has_parquet
from receiver.api.questions import AskedByReader
from receiver.auth.gate import Caller
from receiver.auth.keys import ReaderScope


@with_config(ConfigDict(extra="forbid"))
class ReaderSession(TypedDict):
    """What a reader may see."""

    gateways: Annotated[list[str] | None, Field(description="Serials, or null for every gateway.")]
    expires: Annotated[int, Field(description="End of the token, seconds since 1970.")]
    scope: Annotated[ReaderScope, Field(description="`read`, or `owner`, who may also say where panels are.")]
    file_formats: Annotated[
        list[DownloadFormat],
        Field(description="In which forms this receiver makes files: `csv`, and `parquet` where pyarrow is installed."),
    ]


@with_config(ConfigDict(extra="forbid"))
class OfferedSession(ReaderSession):
    """What a token would let a browser see, and what that sees now."""

    present: Annotated[
        ReaderSession | None,
        Field(
            description="What the cookie of the same request shows, which the token would replace; null where it has "
            "none that is good, or came without an Authorization header."
        ),
    ]


class SessionRoutes:
    """The route `/api/v1/session`.

    Args:
        access: Knows whom the cookie of a request lets in.
    """

    def __init__(self, *, access: Access) -> None:
        self._access = access

    def make_router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/session", tags=["session"], redirect_slashes=False)
        router.add_api_route("", self.begin, methods=["POST"])
        router.add_api_route("", self.show)
        router.add_api_route("", self.end, methods=["DELETE"], status_code=204)
        return router

    async def begin(
        self, question: AskedByReader, _: WithoutParameters, request: Request, response: Response
    ) -> ReaderSession:
        """Exchange the reader token of the Authorization header for a cookie that is good for GET only."""
        token = request.headers["authorization"].partition(" ")[2]
        left_s = max(0, question.caller.expires - question.now_ms // 1000)
        _set_cookie(request, response, token, left_s)
        return _describe(question.caller)

    async def show(self, question: AskedByReader, _: WithoutParameters, request: Request) -> OfferedSession:
        """What the token or the cookie lets its bearer see, and until when; beside a token, what the cookie does."""
        present = self._access.find_session(request) if "authorization" in request.headers else None
        return {**_describe(question.caller), "present": None if present is None else _describe(present)}

    async def end(self, _: WithoutParameters, request: Request, response: Response) -> None:
        """Forget the cookie. The token itself stays good until it expires or is revoked."""
        _set_cookie(request, response, "", 0)


def _set_cookie(request: Request, response: Response, token: str, max_age_s: int) -> None:
    response.headers["cache-control"] = "no-store"
    response.set_cookie(
        COOKIE,
        token,
        max_age=max_age_s,
        path=request.scope.get("root_path") or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _describe(caller: Caller) -> ReaderSession:
    gateways = None if caller.gateways is None else sorted(caller.gateways)
    return {
        "gateways": gateways,
        "expires": caller.expires,
        "scope": "owner" if caller.scope == "owner" else "read",
        "file_formats": ["csv", "parquet"] if has_parquet() else ["csv"],
    }

"""The session of a browser: a reader token becomes a cookie, because an EventSource cannot send headers."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from receiver.api.access import COOKIE, Access
from receiver.auth.gate import Caller
from shared.clock import Clock


class ReaderSession(BaseModel):
    """What a reader may see.

    Attributes:
        gateways: Serials, or None for every gateway.
        expires: End of the token, seconds since 1970.
    """

    gateways: list[str] | None
    expires: int


class SessionRoutes:
    """The route `/api/v1/session`.

    Args:
        access: Who reads.
        clock: How long the cookie still lives.
    """

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/session", tags=["session"], redirect_slashes=False)
        router.add_api_route("", self.begin, methods=["POST"])
        router.add_api_route("", self.show)
        router.add_api_route("", self.end, methods=["DELETE"], status_code=204)
        return router

    async def begin(self, request: Request, response: Response) -> ReaderSession:
        """Exchange the reader token of the Authorization header for a cookie that is good for GET only."""
        caller = self._access.reader(request)
        token = request.headers["authorization"].partition(" ")[2]
        left_s = max(0, caller.expires - self._clock.now_ms() // 1000)
        _set(request, response, token, left_s)
        return _described(caller)

    async def show(self, request: Request) -> ReaderSession:
        """What the token or the cookie lets its bearer see, and until when."""
        return _described(self._access.reader(request))

    async def end(self, request: Request, response: Response) -> None:
        """Forget the cookie. The token itself stays good until it expires or is revoked."""
        _set(request, response, "", 0)


def _set(request: Request, response: Response, token: str, max_age_s: int) -> None:
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


def _described(caller: Caller) -> ReaderSession:
    return ReaderSession(gateways=None if caller.gateways is None else sorted(caller.gateways), expires=caller.expires)

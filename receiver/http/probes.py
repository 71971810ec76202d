"""Probes: alive depends on nothing; ready means that a batch would be stored."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from receiver.errors import RefusedError
from shared.problems import Problem


def make_router(find_problem: Callable[[], Awaitable[str | None]]) -> APIRouter:
    """`/healthz` and `/readyz`. `find_problem` says why a batch would not be stored now."""
    routes = APIRouter(redirect_slashes=False)

    async def tell_alive() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    async def tell_ready() -> dict[str, str]:
        """A batch would be stored."""
        if await find_problem() is not None:
            raise RefusedError(Problem.STORE_UNAVAILABLE, "not-ready", retry_after=5)
        return {"status": "ready"}

    routes.add_api_route("/healthz", tell_alive)
    routes.add_api_route("/readyz", tell_ready)
    return routes

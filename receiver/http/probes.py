"""Probes: alive depends on nothing; ready means that a batch would be stored."""

from fastapi import APIRouter

from receiver.errors import RefusedError
from receiver.stores.base import Store
from shared.problems import Problem


def router(store: Store) -> APIRouter:
    """`/healthz` and `/readyz`."""
    routes = APIRouter(redirect_slashes=False)

    async def alive() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    async def ready() -> dict[str, str]:
        """The store would take a batch."""
        if await store.ready() is not None:
            raise RefusedError(Problem.STORE_UNAVAILABLE, "not-ready", retry_after=5)
        return {"status": "ready"}

    routes.add_api_route("/healthz", alive)
    routes.add_api_route("/readyz", ready)
    return routes

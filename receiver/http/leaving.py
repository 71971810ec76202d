"""Stops the work on a question whose asker has gone: its connection is closed before the answer is sent."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class LeavingLayer:
    """ASGI middleware: a GET whose connection is lost is cancelled wherever it is. What is posted is always finished.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request = _WatchedRequest(receive, send)
        work = asyncio.ensure_future(self._app(scope, request.receive, request.send))
        leaving = asyncio.ensure_future(request.wait_for_leaving())
        try:
            await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and not request.is_answered:
                work.cancel()
                await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            raise
        finally:
            leaving.cancel()
        if not work.cancelled():
            await work


class _WatchedRequest:
    """One request without a body, and whether its connection is still there."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_read = False
        self._gone = asyncio.Event()
        self.is_answered = False

    async def receive(self) -> Message:
        """The request at once, and then its end."""
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on, and note the last one."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.is_answered = True
        await self._send(message)

    async def wait_for_leaving(self) -> None:
        """Return when the connection is lost, or the answer is sent."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()

"""A loopback port to switch faults and read the ledger while the simulator runs.

GET  /faults            the faults that are on, and all that exist
POST /faults            {"name": "truncate", "on": true, "at": 100}
GET  /ledger?kind=stream&from=1234     entries with this number or a higher one
GET  /state             serial, ports, fingerprint, tokens, the simulated time
"""

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from simulator.faults import KINDS, Faults, UnknownFaultError
from simulator.ledger import Ledger
from simulator.web.connection import Conversation, close, open_streams
from simulator.web.listener import PortListener
from simulator.web.messages import Headers, ParsedRequest, Reply, Response


class Control:
    """The control port.

    Args:
        faults: switched by `/faults`.
        ledger: what was sent.
        state: makes the reply of `/state`.
        host: address to bind, of loopback: the port has no login.
        port: 0 for any.
    """

    def __init__(
        self, faults: Faults, ledger: Ledger, state: Callable[[], dict[str, Any]], *, host: str, port: int = 0
    ) -> None:
        self._faults = faults
        self._ledger = ledger
        self._state = state
        self._listener = PortListener(host, port, self._serve_connection)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return self._listener.port

    def start(self) -> None:
        """Open the port."""
        self._listener.start_listening()

    async def stop(self) -> None:
        """Close the port."""
        await self._listener.close()

    async def _serve_connection(self, sock: socket.socket) -> None:
        reader, writer = await open_streams(sock, None)
        try:
            await Conversation(reader, writer).run(self._answer, _give_no_headers, keep_alive=lambda: True)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            await close(writer)

    async def _answer(self, request: ParsedRequest) -> Reply:
        match (request.method, request.path):
            case ("GET", "/faults"):
                known = {name: {"what": kind.what, "parameters": kind.defaults} for name, kind in KINDS.items()}
                return _answer_json({"active": self._faults.active, "known": known})
            case ("POST", "/faults"):
                return self._switch(request.body)
            case ("GET", "/ledger"):
                return self._answer_entries(request)
            case ("GET", "/state"):
                return _answer_json(self._state())
        return _answer_json({"error": "there is /faults, /ledger and /state"}, 404)

    def _switch(self, body: bytes) -> Response:
        try:
            parameters = json.loads(body)
            name, on = str(parameters.pop("name")), bool(parameters.pop("on", True))
            if on:
                self._faults.switch_on(name, **parameters)
            else:
                self._faults.switch_off(name)
        except UnknownFaultError as error:
            return _answer_json({"error": str(error)}, 422)
        except (ValueError, KeyError, AttributeError, TypeError):
            return _answer_json({"error": 'send {"name": ..., "on": true}'}, 400)
        return _answer_json({"active": self._faults.active})

    def _answer_entries(self, request: ParsedRequest) -> Response:
        kind, start = request.query.get("kind"), request.query.get("from", "0")
        if not start.isdecimal():
            return _answer_json({"error": "from is the number of the first entry wanted"}, 400)
        entries = self._ledger.entries if kind is None else self._ledger.list_kind(kind)
        return _answer_json({"entries": [asdict(entry) for entry in entries if entry.number >= int(start)]})


def _give_no_headers() -> Headers:
    return ()


def _answer_json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode())

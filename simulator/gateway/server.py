"""The gateway's two ports, and the life of the device behind them: outages, updates, new certificates."""

import asyncio
import contextlib
import socket

from simulator.gateway.access import EndpointAccess
from simulator.gateway.answers import Answers
from simulator.gateway.device import Device
from simulator.profiles import find_profile
from simulator.web.connection import Conversation, close, open_streams
from simulator.web.listener import PortListener
from simulator.web.tls import Certificate, make_gateway_certificate

# Certificates that a fault asks for must differ from those that updates bring.
_FAULT_GENERATIONS = 100


class GatewayServer:
    """Serves one device on http and, from firmware 7 on, https.

    Args:
        device: what stands behind the ports.
        access: whose sessions end with a restart.
        answers: what is said.
        certificate: the TLS certificate until something renews it.
        host: address to bind.
        ports: http and https port, 0 for any.
    """

    def __init__(
        self,
        device: Device,
        access: EndpointAccess,
        answers: Answers,
        certificate: Certificate,
        *,
        host: str,
        ports: tuple[int, int],
    ) -> None:
        self._device = device
        self._access = access
        self._answers = answers
        self._faults = device.faults
        self._first_certificate = certificate
        self.certificate = certificate
        self._tls = certificate.make_server_context()
        self._http = PortListener(host, ports[0], lambda sock: self._serve_connection(sock, secure=False))
        self._https = PortListener(host, ports[1], lambda sock: self._serve_connection(sock, secure=True))
        self._outage: asyncio.Task[None] | None = None
        self._updates = 0

    @property
    def http_port(self) -> int:
        """The port of plain http."""
        return self._http.port

    @property
    def https_port(self) -> int:
        """The port of https; connections are refused before firmware 7."""
        return self._https.port

    def start(self) -> None:
        """Open the ports, and follow the switches from now on; those that are on already take effect."""
        self._open_ports()
        self._faults.subscribe(self._apply_switch)
        for name in self._faults.active:
            self._apply_switch(name)

    async def stop(self) -> None:
        """Close everything."""
        if self._outage is not None:
            self._outage.cancel()
            await asyncio.wait([self._outage])
        await self._http.close()
        await self._https.close()

    def _open_ports(self) -> None:
        if self._faults.get("refuse") is not None or self._outage is not None:
            self._http.stop_listening(drop_connections=True)
            self._https.stop_listening(drop_connections=True)
            return
        self._http.start_listening()
        if self._device.profile.uses_tokens:
            self._https.start_listening()
        else:
            self._https.stop_listening(drop_connections=True)

    def _apply_switch(self, name: str) -> None:
        if name == "refuse":
            self._open_ports()
        elif name in ("new-certificate", "other-serial"):
            self._renew_certificate()
            self._access.end_sessions()
        elif name == "session-death":
            self._access.end_sessions()
        elif name in ("firmware", "nightly-restart") and (parameters := self._faults.get(name)) is not None:
            if self._outage is not None:
                self._outage.cancel()
            become = str(parameters["to"]) if name == "firmware" else None
            restart = self._restart(name, float(parameters["outage_s"]), become)
            self._outage = asyncio.get_running_loop().create_task(restart)
            self._open_ports()

    async def _restart(self, fault: str, outage_s: float, become: str | None) -> None:
        """Be away for a while (the device's seconds), come back without sessions, perhaps as another firmware."""
        await self._device.clock.sleep_until(self._device.clock.now() + outage_s)
        self._access.end_sessions()
        if become is not None:
            self._updates += 1
            self._device.become(find_profile(become))
            self._renew_certificate()
        self._outage = None
        self._faults.switch_off(fault)
        self._open_ports()

    def _renew_certificate(self) -> None:
        renewed = self._faults.get("new-certificate")
        generation = self._updates if renewed is None else _FAULT_GENERATIONS + int(renewed["generation"])
        is_first = generation == 0 and self._device.serial == self._device.profile.serial
        self.certificate = (
            self._first_certificate if is_first else make_gateway_certificate(self._device.serial, generation)
        )
        self._tls = self.certificate.make_server_context()
        self._https.drop()

    async def _serve_connection(self, sock: socket.socket, *, secure: bool) -> None:
        silent = self._faults.get("silent")
        if silent is not None and silent["stage"] == "handshake":
            await asyncio.Event().wait()
        reader, writer = await open_streams(sock, self._tls if secure else None)
        try:
            await Conversation(reader, writer).run(
                self._answers.answer_https if secure else self._answers.answer_http,
                self._answers.make_headers,
                keep_alive=lambda: self._device.profile.uses_tokens,
            )
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await close(writer)

"""A real mosquitto of one test, on loopback, and a client that sees what it holds."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import trustme

from tests.end_to_end.processes import find_free_port, wait_until
from tests.tools import skip_missing

USER, PASSWORD = "relay", "canary-broker-5f0c2e9d"
_READY_S = 20.0


class Mosquitto:
    """One broker with three listeners: open, with a login, and with TLS; `start` and `stop` may follow each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.login_port, self.tls_port = find_free_port(), find_free_port(), find_free_port()
        self._process: subprocess.Popen[bytes] | None = None
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))

    def start(self) -> None:
        """Start it and wait until it listens."""
        path = f"{os.environ['PATH']}:/usr/sbin"
        binary = shutil.which("mosquitto", path=path) or skip_missing("no mosquitto: apt install mosquitto")
        passwords = self.folder / "passwords"
        if not passwords.exists():
            tool = shutil.which("mosquitto_passwd", path=path) or skip_missing("no mosquitto_passwd")
            subprocess.run([tool, "-b", "-c", str(passwords), USER, PASSWORD], check=True, capture_output=True)
        keys = f"certfile {self.folder}/cert.pem\nkeyfile {self.folder}/key.pem\n"
        (self.folder / "mosquitto.conf").write_text(
            "per_listener_settings true\npersistence false\nuser root\n"
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"listener {self.login_port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"listener {self.tls_port} 127.0.0.1\nallow_anonymous true\n{keys}"
        )
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [binary, "-c", str(self.folder / "mosquitto.conf")], stdout=quiet, stderr=quiet
        )
        deadline = time.monotonic() + _READY_S
        while not _listens(self.tls_port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("mosquitto did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; it forgets everything."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


class Seen:
    """What came to a subscriber: `states` has the newest of each topic, `messages` all in their order."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.states: dict[str, bytes] = {}
        self.messages: list[tuple[str, bytes]] = []

    async def take(self) -> None:
        """Take messages until cancelled."""
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.messages.append((str(message.topic), message.payload))
            self.states[str(message.topic)] = message.payload

    async def wait_for(self, topic: str, payload: bytes | None = None) -> bytes:
        """Wait for a topic, or for a payload of it."""

        def has_it() -> bool:
            return topic in self.states and payload in (None, self.states[topic])

        await wait_until(has_it, f"{topic} {payload!r}")
        return self.states[topic]


@contextlib.contextmanager
def run_mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """A fresh broker, which ends with the context."""
    folder.mkdir()
    broker = Mosquitto(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@contextlib.asynccontextmanager
async def subscribe(port: int, username: str | None = None, password: str | None = None) -> AsyncIterator[Seen]:
    """Everything that the broker has and gets."""
    async with aiomqtt.Client("127.0.0.1", port, username=username, password=password) as client:
        seen = Seen(client)
        await client.subscribe("#", qos=1)
        taking = asyncio.create_task(seen.take())
        try:
            yield seen
        finally:
            taking.cancel()
            await asyncio.wait({taking})


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

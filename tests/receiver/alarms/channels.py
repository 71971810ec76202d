"""Fake channels on real sockets: HTTP ones that keep what they get, and a mail server that is strict."""

import asyncio
import base64
import contextlib
import email
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import msgspec

from tests.fake_http import CannedReply, FakeRequest, FakeServer, run_server


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Until something is so, for twenty seconds at most."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 (what is waited for happens in another process)
            await asyncio.sleep(0.01)


@dataclass
class FakeChannel:
    """An HTTP channel.

    Attributes:
        replies: What it answers, one after the other; then 200.
        taken: The requests that it answered with a success.
        requests: All requests.
    """

    replies: list[CannedReply] = field(default_factory=list)
    taken: list[FakeRequest] = field(default_factory=list)
    requests: list[FakeRequest] = field(default_factory=list)
    server: FakeServer | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.port}"

    def answer(self, request: FakeRequest) -> CannedReply:
        self.requests.append(request)
        reply = self.replies.pop(0) if self.replies else CannedReply(body=b"{}")
        if reply.status < 300:
            self.taken.append(request)
        return reply

    def list_documents(self) -> list[dict[str, Any]]:
        """The bodies that it took, as JSON."""
        return [msgspec.json.decode(one.body) for one in self.taken]


@contextlib.asynccontextmanager
async def run_channel() -> AsyncIterator[FakeChannel]:
    """A channel on a port of its own."""
    channel = FakeChannel()
    async with run_server(channel.answer) as server:
        channel.server = server
        yield channel


@dataclass
class FakeMailServer:
    """SMTP as RFC 5321 says: any command out of its order is refused, as is a login or a mail without TLS.

    Attributes:
        context: For STARTTLS or TLS.
        is_tls: Whether TLS begins with the connection.
        needs_tls: Whether STARTTLS is demanded before all else.
        accounts: Name to password.
        refused: Recipients that it does not take.
        temporary: So many mails are refused for now.
        rude: Answers QUIT with an error.
        mails: What it took, with the envelope's recipients.
    """

    context: ssl.SSLContext | None = None
    is_tls: bool = False
    needs_tls: bool = False
    accounts: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    rude: bool = False
    temporary: int = 0
    mails: list[tuple[list[str], Message]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secured, greeted, known, sender = self.is_tls, False, False, b""
        recipients: list[str] = []

        def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")

        say("220 fake ESMTP")
        while line := await reader.readline():
            assert line.endswith(b"\r\n"), "lines end with CR LF"
            words = line.decode().strip().split(" ")
            verb = words[0].upper()
            if verb == "EHLO" and len(words) == 2:
                greeted = True
                offers = ["fake"]
                offers += ["STARTTLS"] if self.context and not secured else []
                offers += ["AUTH PLAIN LOGIN"] if self.accounts and (secured or not self.needs_tls) else []
                for number, offer in enumerate(offers):
                    say(f"250{' ' if number == len(offers) - 1 else '-'}{offer}")
            elif verb == "STARTTLS" and greeted and self.context and not secured:
                say("220 go ahead")
                await writer.drain()
                await writer.start_tls(self.context)
                secured, greeted = True, False
            elif verb == "QUIT":
                say("451 no" if self.rude else "221 bye")
                await writer.drain()
                return
            elif not greeted or (self.needs_tls and not secured):
                say("530 must issue a STARTTLS command first")
            elif verb == "AUTH" and self.accounts:
                known = self._check_login(words)
                say("235 ok" if known else "535 wrong")
            elif verb == "RSET":
                sender, recipients = b"", []
                say("250 ok")
            elif verb == "MAIL" and not sender and (known or not self.accounts):
                sender = line
                say("250 ok")
            elif verb == "RCPT" and sender:
                address = line.decode().partition("<")[2].partition(">")[0]
                if address in self.refused:
                    say("550 no such user")
                else:
                    recipients.append(address)
                    say("250 ok")
            elif verb == "DATA" and recipients:
                say("354 go on")
                await writer.drain()
                body = b""
                while (part := await reader.readline()) != b".\r\n":
                    body += part.removeprefix(b".")
                if self.temporary:
                    self.temporary -= 1
                    say("451 try again later")
                else:
                    self.mails.append((recipients, email.message_from_bytes(body)))
                    say("250 taken")
                sender, recipients = b"", []
            else:
                say("503 bad sequence of commands")
            await writer.drain()

    def _check_login(self, words: list[str]) -> bool:
        if len(words) != 3 or words[1].upper() != "PLAIN":
            return False
        _, user, password = base64.b64decode(words[2]).decode().split("\0")
        return self.accounts.get(user) == password


@contextlib.asynccontextmanager
async def run_mail_server(server: FakeMailServer) -> AsyncIterator[FakeMailServer]:
    """The mail server on a port of its own."""
    context = server.context if server.is_tls else None
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await asyncio.sleep(0)

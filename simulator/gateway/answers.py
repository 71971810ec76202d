"""From a request to a reply: obstacles, login, document, and the faults that change it."""

import json
from email.utils import formatdate

from simulator.gateway import refusals
from simulator.gateway.access import EndpointAccess, Permission
from simulator.gateway.device import Device
from simulator.gateway.payloads.info import render_info
from simulator.gateway.reply_faults import make_faulty_text, to_text
from simulator.gateway.routes import STREAM, WRITABLE, Route, find
from simulator.gateway.stream import MeterStream
from simulator.gateway.transmission import apply_transmission_faults, withhold_reply
from simulator.ledger import Ledger
from simulator.web.messages import Headers, ParsedRequest, Reply, Response, Takeover

_NOBODY = "nobody"


class Answers:
    """Everything the device says over http and https.

    Args:
        device: whose words.
        access: who may hear them.
        ledger: records every reply that was sent.
    """

    def __init__(self, device: Device, access: EndpointAccess, ledger: Ledger) -> None:
        self._device = device
        self._access = access
        self._ledger = ledger
        self._faults = device.faults

    def make_headers(self) -> Headers:
        """The first headers of every reply of this firmware."""
        date = ("Date", formatdate(self._device.now(), usegmt=True))
        if self._device.profile.uses_tokens:
            return (("Server", "openresty/1.17.8.1"), date)
        return (date, date)  # 4.x and 5.x really say it twice

    async def answer_http(self, request: ParsedRequest) -> Reply:
        """Plain http: everything before firmware 7, a redirect from then on."""
        if not self._device.profile.uses_tokens:
            return await self.answer_https(request)
        host = request.headers.get("host", "").partition(":")[0]
        return self._record(request, refusals.redirect_to_https(host, request.target), _NOBODY)

    async def answer_https(self, request: ParsedRequest) -> Reply:
        """The device's answer as it leaves, changed by the faults that are on."""
        if (nothing := withhold_reply(self._faults, request.path)) is not None:
            return self._record(request, nothing, _NOBODY)
        reply, who = self._answer(request)
        if isinstance(reply, Response):
            reply = apply_transmission_faults(reply, self._faults, request.path, self.make_headers())
        return self._record(request, reply, who)

    def _answer(self, request: ParsedRequest) -> tuple[Reply, str]:
        """The answer to a request, and the login that asked."""
        public = (
            self._find_page_instead(request.path)
            or self._answer_nothing_there(request.path)
            or self._answer_public(request)
        )
        if public is not None:
            return public, _NOBODY
        route = find(self._device, request)
        if route is None:
            return refusals.answer_not_found(self._device, request.path), _NOBODY
        granted = self._access.admit(request, route)
        if isinstance(granted, Response):
            return granted, _NOBODY
        if request.method != "GET":
            return self._take_document(request, granted), granted.who
        return self._answer_granted(request, route, granted), granted.who

    def _find_page_instead(self, path: str) -> Response | None:
        """The page that a fault puts in place of every answer; None without such a fault."""
        pages = {
            "bad-gateway": refusals.answer_bad_gateway,
            "starting": refusals.answer_starting,
            "html": refusals.answer_web_page,
        }
        for name, page in pages.items():
            if self._faults.take(name, path) is not None:
                return page()
        redirected = self._faults.take("redirect", path)
        return None if redirected is None else refusals.redirect(str(redirected["to"]))

    def _answer_nothing_there(self, path: str) -> Response | None:
        """The answer to a path that a fault has taken away for now; None for others."""
        if self._faults.take("empty-body", path) is not None:
            return Response(200, b"", None)
        if self._faults.take("not-found", path) is not None:
            return refusals.answer_not_found(self._device, path)
        return None

    def _answer_public(self, request: ParsedRequest) -> Response | None:
        """The answer to a request that needs no login, or that is the login; None for others."""
        if request.path in ("/info", "/info.xml"):
            typed = self._device.profile.version < (8, 3)
            return Response(200, render_info(self._device), "text/xml" if typed else None)
        if request.path == "/auth/check_jwt" and self._device.profile.uses_tokens:
            return self._access.check_jwt(request)
        if request.path == STREAM and self._faults.take("stream-unauthorised") is not None:
            return refusals.answer_unauthorised(self._device)
        return None

    def _take_document(self, request: ParsedRequest, granted: Permission) -> Response:
        """The answer to a write: the document from now on, or a refusal."""
        if request.path not in WRITABLE or request.method not in ("PUT", "POST"):
            return Response(405, b"", None)
        try:
            self._device.written[request.path] = json.loads(request.body)
        except ValueError:
            return Response(400, b"", None)
        line = {
            "method": request.method,
            "target": request.target,
            "content_type": request.headers.get("content-type"),
            "body": request.body.decode(),
        }
        time = self._device.now()
        response = Response(body=request.body, headers=granted.headers)
        response.on_sent.append(lambda: self._ledger.record("write", line, time=time))
        return response

    def _answer_granted(self, request: ParsedRequest, route: Route, granted: Permission) -> Reply:
        """A document or the stream, for a login that may read it."""
        if request.path == STREAM:
            return Takeover(MeterStream(self._device, self._ledger, (*self.make_headers(), *granted.headers)).run)
        written = self._device.written
        values = written[request.path] if request.path in written else route.build(self._device)
        time = self._device.now()
        text = make_faulty_text(values, route.indent, self._faults, request.path)
        typed = route.typed or not self._device.profile.uses_tokens
        response = Response(
            body=text.encode() + b"\n",
            content_type="application/json" if typed else None,
            headers=granted.headers,
            chunked=route.chunked,
        )
        if route.ledger:
            kind = route.ledger if text == to_text(values, route.indent) else "faulty"
            response.on_sent.append(lambda: self._ledger.record(kind, values, time=time))
        return response

    def _record(self, request: ParsedRequest, reply: Reply, who: str) -> Reply:
        """Record the request in the ledger; a request with a whole answer, after that answer was sent."""
        status = reply.status if isinstance(reply, Response) else None
        line = {"method": request.method, "path": request.path, "status": status, "login": who}
        time = self._device.now()
        if isinstance(reply, Response):
            reply.on_sent.append(lambda: self._ledger.record("request", line, time=time))
        else:
            self._ledger.record("request", line, time=time)
        return reply

"""Who reads: a reader token in the Authorization header, or the same token in the session cookie of a browser.

A browser sends its cookie without being asked, so the cookie is good for GET alone (and SameSite=Strict): nothing that
changes anything can be done with it.
"""

from starlette.requests import Request

from receiver.auth.gate import Caller, TokenGate, authorise_change, authorise_read
from receiver.errors import RefusedError
from receiver.http.rates import RateLimit

COOKIE = "envoy_session"


class Access:
    """Lets readers in.

    Args:
        gate: Verifies tokens.
        per_reader: How often one reader may ask.
    """

    def __init__(self, gate: TokenGate, per_reader: RateLimit) -> None:
        self._gate = gate
        self._per_reader = per_reader

    def admit(self, request: Request, serial: str | None = None) -> Caller:
        """The caller behind a request that reads, of one gateway if `serial` is given; counts the request.

        Raises:
            RefusedError: unauthorised, forbidden (a scraper's token), not-found (a gateway this reader may not see),
                too-many-requests.
        """
        caller = self.identify(request, serial)
        self._per_reader.spend(caller.name)
        return caller

    def admit_owner(self, request: Request, serial: str) -> Caller:
        """The caller behind a request that changes what is known of a gateway; counts the request.

        Only a token in the Authorization header is good for it, whatever the method: no browser sends that unasked.

        Raises:
            RefusedError: As `admit` does, and forbidden for a token that only reads.
        """
        caller = self._gate.authenticate(request.headers.getlist("authorization"))
        authorise_change(caller, serial)
        self._per_reader.spend(caller.name)
        return caller

    def find_session(self, request: Request) -> Caller | None:
        """Whom the cookie of a request lets in, whatever else it brings; None where it brings none that is good."""
        cookie = request.cookies.get(COOKIE)
        if cookie is None:
            return None
        try:
            caller = self._gate.verify(cookie)
            authorise_read(caller, None)
        except RefusedError:
            return None
        return caller

    def identify(self, request: Request, serial: str | None = None) -> Caller:
        """As `admit`, but for a request that was let in before and goes on: nothing is counted."""
        headers = request.headers.getlist("authorization")
        cookie = request.cookies.get(COOKIE)
        if not headers and cookie is not None and request.method == "GET":
            caller = self._gate.verify(cookie)
        else:
            caller = self._gate.authenticate(headers)
        authorise_read(caller, serial)
        return caller

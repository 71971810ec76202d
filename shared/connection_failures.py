"""Why no answer came over the network, in a few words for people: the name, the port, the way there, or TLS.

Libraries wrap what the operating system said (httpx in `ConnectError`, urllib3 in `NewConnectionError`). Their own text
is never repeated, because it may quote an address with a secret in it, or bytes of the answer.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

_DEEPEST = 12
"""Errors that are looked at; chains of libraries have four or five."""
_NO_WAY = "this machine has no way into its network"
_OTHER_PROTOCOL = "it ended the connection, or speaks another protocol"
_NO_ADDRESS = "its address makes no sense"
_BY_NUMBER = {
    errno.ECONNREFUSED: "nothing listens at that port",
    errno.EHOSTUNREACH: "no such machine answers in its network",
    errno.EHOSTDOWN: "no such machine answers in its network",
    errno.ENETUNREACH: _NO_WAY,
    errno.ENETDOWN: "the network of this machine is down",
    errno.EADDRNOTAVAIL: _NO_WAY,
    errno.ETIMEDOUT: "no answer in time",
    errno.ECONNRESET: "it cut the connection",
    errno.ECONNABORTED: "it cut the connection",
    errno.EPIPE: "it cut the connection",
    errno.EACCES: "this machine's firewall forbids it",
    errno.EPERM: "this machine's firewall forbids it",
    errno.EMFILE: "this process has too many files open",
    errno.ENFILE: "this machine has too many files open",
}
_BY_CLASS = {
    "TimeoutError": "no answer in time",
    "TimeoutException": "no answer in time",
    "RemoteProtocolError": _OTHER_PROTOCOL,
    "ProtocolError": _OTHER_PROTOCOL,
    "SMTPServerDisconnected": _OTHER_PROTOCOL,
    "InvalidURL": _NO_ADDRESS,
    "UnsupportedProtocol": _NO_ADDRESS,
    "LocationParseError": _NO_ADDRESS,
    "UnicodeError": _NO_ADDRESS,
}
"""What Python and the libraries call it, by names, so that none of them is needed here."""
_UNKNOWN_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
"""What OpenSSL calls bytes that are no TLS."""


def explain_failure(error: BaseException) -> str:
    """A few words on what failed, e.g. "nothing listens at that port"; the error's class where nothing better is known.

    Args:
        error: As a library raised it; its causes are walked.
    """
    found = [words for one in _walk(error) if (words := _explain(one)) is not None]
    # of a machine with several addresses each attempt has an error: one that was reached says more
    return min(found, key=lambda words: words == _NO_WAY, default=type(error).__name__)


def is_untrusted_certificate(error: BaseException) -> bool:
    """Whether the other side's certificate was refused."""
    return any(isinstance(one, ssl.SSLCertVerificationError) for one in _walk(error))


def _explain(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLError):
        return _explain_tls(error)
    if isinstance(error, socket.gaierror):
        return "its name is not known" if error.errno in _UNKNOWN_NAME else "no name server answers"
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    names = {kind.__name__ for kind in type(error).__mro__}
    return next((words for known, words in _BY_CLASS.items() if known in names), None)


def _explain_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if error.reason in _NO_TLS:
        return "TLS failed: it does not speak it at that port"
    return f"TLS failed: {(error.reason or type(error).__name__).replace('_', ' ').lower()}"


def _walk(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies below it, the deepest first: the operating system's own comes before its wrappings."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _DEEPEST:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in found:
            continue
        found.append(one)
        # httpcore hides its cause (`from None`), which is then the context
        waiting += [one.__cause__ or one.__context__, getattr(one, "reason", None)]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    yield from reversed(found)

"""Trust on first use for the gateway's self-signed certificate.

The gateway's certificate names no host that we could check and is signed by nobody, so its SHA-256 fingerprint is
the identity: remembered at the first contact, demanded ever after. The check sits inside the TLS handshake, so no
byte of a request, and hence no credential, is ever written to a connection with another certificate.
"""

import hashlib
import ssl
from pathlib import Path
from typing import Any

import msgspec

from scraper.errors import CertificateChangedError, ScraperSettingError
from shared.files import UnsafeFileError, read_private, write_private

_HEX = frozenset("0123456789abcdef")
_FILE_NAME = "gateway.json"


def normalise_fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as 64 lower-case hex digits; colons, spaces and a `sha256:` prefix are tolerated.

    Raises ScraperSettingError for anything else.
    """
    digits = text.strip().lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if len(digits) != 64 or not _HEX.issuperset(digits):
        raise ScraperSettingError("ENVOY_TLS_FINGERPRINT must be a SHA-256 fingerprint: 64 hexadecimal digits")
    return digits


def shorten(fingerprint: str | None) -> str:
    """The first 16 digits, enough for a person to compare."""
    return fingerprint[:16] if fingerprint else "none"


class Pin:
    """What one TLS context demands of the peer, and what it saw last.

    Attributes:
        expected: The only acceptable fingerprint, or None to accept (and record) any.
        seen: The fingerprint of the latest handshake, accepted or not.
    """

    def __init__(self, expected: str | None = None) -> None:
        self.expected = expected
        self.seen: str | None = None

    def verify(self, certificate: bytes | None) -> None:
        """Record the peer's DER certificate. Raises CertificateChangedError if it is not the expected one."""
        self.compare(hashlib.sha256(certificate or b"").hexdigest())

    def compare(self, fingerprint: str) -> None:
        """Record the fingerprint of a peer. Raises CertificateChangedError if it is not the expected one."""
        self.seen = fingerprint
        if self.expected is not None and fingerprint != self.expected:
            raise CertificateChangedError(
                f"the gateway shows certificate {shorten(fingerprint)}, but {shorten(self.expected)} is the trusted "
                "one; nothing secret was sent. Gateways renew their certificate about once a year: if nothing else is "
                "odd, accept the new one with: envoy-scraper trust"
            )


def make_pinned_context(pin: Pin) -> ssl.SSLContext:
    """A TLS client context that checks `pin` at the end of every handshake, instead of names and authorities."""

    class PinnedObject(ssl.SSLObject):
        """`SSLContext.sslobject_class` is the documented hook; asyncio (and so anyio and httpx) drives an SSLObject."""

        def do_handshake(self) -> None:
            super().do_handshake()
            pin.verify(self.getpeercert(binary_form=True))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the pin takes its place
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT")  # Python's own list is narrower than what old gateways offer
    context.sslobject_class = PinnedObject
    return context


class _PinDocument(msgspec.Struct):
    gateway: str | None = None
    pins: dict[str, str] = {}


class PinStore:
    """The gateway this scraper belongs to and the certificates it trusts: `gateway.json`, 0600, in the state directory.

    The file is read on every question, so that `envoy-scraper trust` works beside a running scraper.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / _FILE_NAME

    def read_gateway(self) -> str | None:
        """The serial of the gateway that was met first, or None."""
        return self._read().gateway

    def read_fingerprint(self, serial: str) -> str | None:
        """The trusted fingerprint of that gateway, or None before the first contact over TLS."""
        return self._read().pins.get(serial)

    def remember(self, serial: str, fingerprint: str | None) -> None:
        """Belong to this gateway from now on and, unless None, trust this certificate.

        Raises ScraperSettingError if that cannot be written down.
        """
        remembered = self._read()
        pins = dict(remembered.pins)
        if fingerprint is not None:
            pins[serial] = fingerprint
        if remembered != (updated := _PinDocument(serial, pins)):
            self._write(updated)

    def forget(self, serial: str) -> None:
        """Trust the certificate that the gateway shows next, whichever it is, or none if it speaks plain http.

        Raises ScraperSettingError if that cannot be written down.
        """
        remembered = self._read()
        pins = {known: pin for known, pin in remembered.pins.items() if known != serial}
        self._write(_PinDocument(remembered.gateway, pins))

    def read_contents(self) -> Any:
        """Whatever the file says now, to notice a change by another process."""
        return self._read()

    def _read(self) -> _PinDocument:
        try:
            return msgspec.json.decode(read_private(self._path), type=_PinDocument)
        except FileNotFoundError:
            return _PinDocument()
        except UnsafeFileError as error:
            raise ScraperSettingError(str(error)) from error
        except (msgspec.DecodeError, OSError) as error:
            # A guess here would trust any certificate that comes next.
            raise ScraperSettingError(
                f"{self._path} cannot be read ({type(error).__name__}): delete it to trust the gateway again"
            ) from error

    def _write(self, remembered: _PinDocument) -> None:
        try:
            write_private(self._path, msgspec.json.encode(remembered))
        except OSError as error:
            raise ScraperSettingError(
                f"{self._path} cannot be written ({error.strerror}): make ENVOY_STATE_DIR a directory on a local disk "
                "that this user may write to"
            ) from error

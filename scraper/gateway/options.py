"""The options of the gateway client, and what it says about itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from scraper.errors import CertificateChangedError, PersonNeededError
from scraper.gateway.cloud import ENLIGHTEN_URL, ENTREZ_URL
from scraper.gateway.stream import Watchdog
from scraper.gateway.transport import Deadlines, Scheme


def _give_none() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class GatewayOptions:
    """Where the gateway is and how to log in.

    Secrets are callables, because settings that name a file are read again when a login fails.

    Attributes:
        host: Name or address; None to look for it with mDNS.
        serial: The only gateway to talk to; None for the one met first.
        token: Gives the pasted token.
        installer_password: Gives the password that replaces the derived one (digest only).
        cloud_credentials: Gives user name and password of the owner's account.
        cloud_url, token_url: Bases of the account and the token service.
        state_dir: Where the pin and the last good token are kept.
        tls_trust: `pin`: trust the certificate met first; `any`: trust all.
        tls_fingerprint: The certificate to trust, known beforehand; replaces the one met first.
        http_port, https_port: Where the gateway listens.
        keep_alive: Whether connections are used again, on firmware 7 and later (older firmware closes them anyway).
        deadlines: How long to wait for replies.
        watchdog: How long to wait for events of the meter stream.
    """

    host: str | None
    serial: str | None
    state_dir: Path
    token: Callable[[], str | None] = field(default=_give_none, repr=False)
    installer_password: Callable[[], str | None] = field(default=_give_none, repr=False)
    cloud_credentials: Callable[[], tuple[str, str] | None] = field(default=_give_none, repr=False)
    cloud_url: str = ENLIGHTEN_URL
    token_url: str = ENTREZ_URL
    tls_trust: Literal["pin", "any"] = "pin"
    tls_fingerprint: str | None = None
    http_port: int = 80
    https_port: int = 443
    keep_alive: bool = True
    deadlines: Deadlines = Deadlines()  # noqa: RUF009 (immutable)
    watchdog: Watchdog = Watchdog()  # noqa: RUF009 (immutable)


class GatewayIdentity(NamedTuple):
    """The gateway that is connected, and as whom.

    Attributes:
        host: Where it was found.
        serial: Its serial.
        firmware: As it states it, e.g. "D8.2.4286".
        version: The same as integers, to compare.
        role: `owner` or `installer` (token), `installer` or `envoy` (digest), or what else the token says.
        token_expires_s: Epoch seconds; None with digest.
        scheme: `https` or `http`.
        clock_offset_s: Its clock minus ours; None if it does not say.
    """

    host: str
    serial: str
    firmware: str
    version: tuple[int, ...]
    role: str
    token_expires_s: int | None
    scheme: Scheme
    clock_offset_s: float | None


@dataclass(slots=True)
class GatewayState:
    """For status, metrics and `check`.

    Attributes:
        blocked: Why logins are stopped, while a person is needed; else None.
        fingerprint: SHA-256 of the certificate seen last; None over http.
        serial: Of the gateway that answered last, whether or not it lets us in; None before the first.
        cloud_problem: Why the last attempt to renew the token in the background failed; else None.
    """

    blocked: PersonNeededError | None = None
    fingerprint: str | None = None
    cloud_problem: str | None = None
    serial: str | None = None

    @property
    def certificate_changed(self) -> bool:
        """Whether the gateway shows a certificate that is not the trusted one."""
        return isinstance(self.blocked, CertificateChangedError)

    @property
    def login_blocked(self) -> str | None:
        """The reason as a sentence, or None."""
        return str(self.blocked) if self.blocked else None

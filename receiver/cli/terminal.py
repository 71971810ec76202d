"""What a terminal can show of a link: an address that can be clicked, and a QR code that fits 24 lines."""

import io
import ipaddress
import sys
from urllib.parse import urlsplit

import segno
import typer

_QUIET = 2
"""Light modules around the code: half of what the standard asks, which phones read from a screen."""


def format_clickable(address: str) -> str:
    """The address as a hyperlink of terminals (OSC 8); those that know none show the bare address."""
    return f"\x1b]8;;{address}\x1b\\{address}\x1b]8;;\x1b\\"


def draw_qr_code(address: str) -> str:
    """The QR code in half blocks: at most 20 lines of at most 41 characters for an address of up to 78 characters."""
    picture = io.StringIO()
    segno.make(address, error="l", boost_error=False, micro=False).terminal(out=picture, compact=True, border=_QUIET)
    return picture.getvalue()


def print_qr_code(address: str) -> None:
    """Show the QR code on standard error."""
    sys.stderr.write(draw_qr_code(address))


LOOPBACK = (
    "works on this machine only: for a phone, `make run LAN=1`, or set RECEIVER_PUBLIC_URL (with the proxy of docker "
    "compose RELAY_DOMAIN) to where others reach this receiver"
)
"""What to say of such an address."""


def explain_loopback(public_url: str) -> None:
    """Say it where an address works on this machine alone."""
    if is_loopback_address(public_url):
        typer.echo(f"this address {LOOPBACK}", err=True)


def is_loopback_address(url: str) -> bool:
    """Whether an address leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

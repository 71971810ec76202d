"""The address under which other machines of the home network reach this one."""

import socket

from standalone.errors import StandaloneError

_ELSEWHERE = ("192.0.2.1", 9)
"""An address of nobody (RFC 5737): the system names the interface that leads away from here; nothing is sent."""


def find_lan_address() -> str:
    """The address of this machine in its network. Raises StandaloneError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError as error:
            raise StandaloneError(
                f"this machine has no address in a network ({error.strerror}): connect it, or run without LAN=1"
            ) from error
        address: str = probe.getsockname()[0]
        return address

"""What is said of a network address in settings and by other machines. Pure."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself: `localhost` or an address of the loopback network.

    A name that only looks like an address (`127.example.org`) is somebody else's.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False

"""The identity of a system that is read through the cloud: it stands where a gateway's serial does."""

PREFIX = "system-"
"""Begins it; the number of the system follows."""


def is_cloud_system(gateway: str) -> bool:
    """Whether a gateway is none, but a system that is read through the cloud."""
    return gateway.startswith(PREFIX)

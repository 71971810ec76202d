"""Whom a token is for: every receiver, or the one of a name, so that no receiver can use it at another. Pure."""

from collections.abc import Sequence

EVERY_RECEIVER = "envoy-receiver"
"""Stands in `aud` of every token of ours."""
NAME_PATTERN = r"[0-9A-Za-z][0-9A-Za-z._:/-]{0,199}"
"""The name of a receiver, as both halves are told it; its address will do."""


def make_audience(name: str | None) -> str | list[str]:
    """`aud` of a token for the receiver of this name; None is any receiver that has the key."""
    return EVERY_RECEIVER if name is None else [EVERY_RECEIVER, name]


def is_addressed(audience: str | Sequence[str], name: str | None) -> bool:
    """Whether a token is for the receiver of this name; one without a name takes what is for any or another."""
    given = (audience,) if isinstance(audience, str) else audience
    return EVERY_RECEIVER in given and (name is None or name in given)

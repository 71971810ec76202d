"""Parameters that several routes have, as the published schema describes them."""

from typing import Annotated, Any, Final

from fastapi import Path, Query

SerialParameter = Annotated[str, Path(description="Serial number of the gateway.", examples=["122300001234"])]
StartParameter = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Where the range begins: `today`, a time ago (`-24h`, `-7d`, `-1mo`), an ISO 8601 date or time "
        "(without an offset: local), or milliseconds since 1970. Windows are whole: the first one may begin earlier. "
        "Without it: 30 days ago.",
        examples=["today"],
    ),
]
StopParameter = Annotated[
    str | None,
    Query(max_length=64, description="Where it ends, in the same forms. Without it: now.", examples=["now"]),
]
DEFAULT_START: Final = "-30d"
NOT_MODIFIED: Final[dict[str, Any]] = {"description": "Nothing is new since the ETag in If-None-Match."}
"""For `responses={304: ...}` of routes with an ETag."""

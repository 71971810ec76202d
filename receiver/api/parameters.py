"""What may be asked: parameters that several routes have, and how the parameters of one route are read.

Each route has one model. FastAPI reads it after the dependencies that stand before it, so that somebody who is not let
in hears that alone, whatever else is wrong with the request.
"""

from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from receiver.api.answers import FileFormat, Format
from receiver.http.query_names import refuse_other_names

SerialParameter = Annotated[str, Path(description="Serial number of the gateway.", examples=["122300001234"])]
SiteParameter = Annotated[str, Path(description="The site's name in the sites file.", examples=["Lane 5"])]
DEFAULT_START: Final = "-30d"
NOT_MODIFIED: Final[dict[str, Any]] = {"description": "Nothing is new since the ETag in If-None-Match."}
"""For `responses={304: ...}` of routes with an ETag."""


class RouteParameters(BaseModel):
    """The base of every route's parameters."""

    model_config = ConfigDict(frozen=True)


class NoParameters(RouteParameters):
    """Of routes that have none."""


class FormatParameters(RouteParameters):
    """The parameters of a table."""

    format: Format | None = Field(
        None, description="`json` or `csv`; without it, what the Accept header prefers, else JSON."
    )


class RangeParameters(RouteParameters):
    """The parameters of a table over time."""

    format: FileFormat | None = Field(
        None,
        description="`json`, `csv`, or `parquet` where the receiver has the extra of that name; without it, what the "
        "Accept header prefers, else JSON.",
    )

    start: str | None = Field(
        None,
        max_length=64,
        description="Where the range begins: `today`, a time ago (`-24h`, `-7d`, `-1mo`), a year or month (`2026-06`: "
        "its first midnight), an ISO 8601 date or time (without an offset: local), or milliseconds since 1970. Windows "
        "are whole: the first one may begin earlier. Without it: 30 days ago.",
        examples=["today"],
    )
    stop: str | None = Field(
        None, max_length=64, description="Where it ends, in the same forms. Without it: now.", examples=["now"]
    )


_Parameters = TypeVar("_Parameters", bound=RouteParameters)


def read_parameters(model: type[_Parameters]) -> Any:
    """The dependency that reads the parameters of one route, which stands behind the one that lets the reader in.

    Args:
        model: What the route reads; the published schema describes its fields.
    """
    known = sorted(model.model_fields)

    async def read(request: Request, asked: _Parameters) -> _Parameters:
        refuse_other_names(request, known)
        return asked

    read.__annotations__["asked"] = Annotated[model, Query()]  # FastAPI reads the model itself from the annotation
    return Depends(read)


WithoutParameters = Annotated[NoParameters, read_parameters(NoParameters)]
FormatAsked = Annotated[FormatParameters, read_parameters(FormatParameters)]

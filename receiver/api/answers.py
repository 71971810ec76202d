"""Answers of queries: JSON or CSV, packed where the reader takes that; latest values with an ETag.

Making an answer takes its time: call what is here by `run_slice`. Then it is whole, so that a reader who takes it
slowly holds its bytes and none of the rows it was made of. Events and replies to scrapers are not made here.
"""

import asyncio
import contextlib
import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal, TypeAlias, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from receiver.api.tables import Row, TableForm

_T = TypeVar("_T")

Format: TypeAlias = Literal["json", "csv"]
FileFormat: TypeAlias = Literal["json", "csv", "parquet"]
TABLE_CONTENT: Final[dict[str, Any]] = {"text/csv": {"schema": {"type": "string"}}}
"""For `responses={200: {"content": ...}}` of routes that also answer in CSV."""

FILE_CONTENT: Final[dict[str, Any]] = {
    **TABLE_CONTENT,
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}
"""Likewise of those that also answer in Parquet."""

CSV: Final = "text/csv; charset=utf-8"
_JSON = "application/json"
HEADERS: Mapping[str, str] = {
    "cache-control": "private, no-cache",
    "vary": "Accept, Authorization, Cookie, Accept-Encoding",
}
_ROWS_A_PIECE = 500
_PACK_FROM = 500  # bytes; below it packing costs more than it saves
PACK_LEVEL = 6
SENT_AT_ONCE = 64 * 1024  # bytes
SEND_S = 20.0
"""A reader that takes nothing for so long is gone (seconds)."""
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is run by spreadsheets."""


def should_send_csv(request: Request, wanted: FileFormat | None) -> bool:
    """Whether to answer in CSV: as `format` says, else as the Accept header prefers."""
    if wanted is not None:
        return wanted == "csv"
    accepted = dict(_parse_preferences(request.headers.get("accept", "")))
    csv_weight = accepted.get("text/csv", 0.0)
    if _JSON in accepted:
        return csv_weight > accepted[_JSON]
    return csv_weight > 0 and csv_weight >= max(accepted.get("application/*", 0.0), accepted.get("*/*", 0.0))


def make_table(
    request: Request,
    rows: Sequence[Row],
    *,
    as_csv: bool,
    columns: Sequence[str] = (),
    zone: ZoneInfo | None = None,
    next_after: str | None = None,
) -> Response:
    """Rows as a JSON list of objects, or as CSV.

    Args:
        request: Whose accepted encodings and parameters count.
        rows: Each an object of the list.
        as_csv: From `should_send_csv`.
        columns: Of CSV, these first; what else the rows have follows in the order of appearance.
        zone: Of local times in CSV; None: each row has its own `time_zone`, else UTC.
        next_after: Where the next page begins, or None; see `cut_page`.
    """
    if as_csv:
        names = tuple(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
        return make_csv(request, TableForm(names, zone), rows, next_after=next_after)
    return make_document(request, rows, next_after=next_after)


def make_document(request: Request, document: Any, *, next_after: str | None = None) -> Response:
    """Anything that msgspec encodes."""
    return make_json(request, [msgspec.json.encode(document)], next_after=next_after)


def make_json(request: Request, pieces: Iterable[bytes], *, next_after: str | None = None) -> Response:
    """JSON from its pieces."""
    return _MadeAnswer(request, b"".join(pieces), _JSON, _make_links(request, next_after))


def make_text(request: Request, text: bytes, media_type: str) -> Response:
    """Text of any type."""
    return _MadeAnswer(request, text, media_type, {})


def make_csv(
    request: Request,
    form: TableForm,
    rows: Iterable[Row],
    *,
    next_after: str | None = None,
    note: str | None = None,
) -> Response:
    """A header line and the rows (RFC 4180); `note` is a sentence about all of them, in the HTTP header x-note."""
    headers = _make_links(request, next_after) | ({"x-note": note} if note else {})
    return _MadeAnswer(request, b"".join(write_csv(form, rows)), CSV, headers)


def make_latest_table(
    request: Request,
    rows: Sequence[Row],
    *,
    as_csv: bool,
    columns: Sequence[str] = (),
    zone: ZoneInfo | None = None,
    next_after: str | None = None,
) -> Response:
    """As `make_table`, for values that are asked for again and again: 304 where nothing is new.

    The ETag is a weak one, of everything but ages: a reader with a 304 has the timestamp, and so the age.
    """
    return _make_unless_known(
        request,
        [as_csv, _remove_ages(rows), next_after],
        lambda: make_table(request, rows, as_csv=as_csv, columns=columns, zone=zone, next_after=next_after),
    )


def make_latest_document(request: Request, document: Mapping[str, object]) -> Response:
    """As `make_document`, for values that are asked for again and again: as `make_latest_table`."""
    return _make_unless_known(request, _remove_ages(document), lambda: make_document(request, document))


def _remove_ages(content: object) -> object:
    """Everything but ages, which are another at every question."""
    if isinstance(content, Mapping):
        return {name: _remove_ages(each) for name, each in content.items() if not name.endswith("age_seconds")}
    if isinstance(content, list):
        return list(map(_remove_ages, content))
    return content


def _make_unless_known(request: Request, content: object, make: Callable[[], Response]) -> Response:
    """The answer with a weak ETag, or 304 where the reader has it already (RFC 9110).

    Args:
        request: Its If-None-Match counts.
        content: All that matters of the answer, for msgspec: whenever it differs, so does the ETag.
        make: Makes the answer, one of this module's.
    """
    etag = f'W/"{hashlib.blake2b(msgspec.json.encode(content), digest_size=12).hexdigest()}"'
    known = [name.strip() for name in request.headers.get("if-none-match", "").split(",")]
    if "*" in known or etag in known or etag.removeprefix("W/") in known:
        return Response(status_code=304, headers={**HEADERS, "etag": etag})
    answer = make()
    answer.headers["etag"] = etag
    return answer


def cut_page(
    entries: Sequence[_T], *, limit: int, after: str | None, key: Callable[[_T], str]
) -> tuple[list[_T], str | None]:
    """One page of a list, and the key after which the next page begins (None: this is the last one).

    Keys, not numbers: what comes and goes between two pages neither doubles nor hides anything else.

    Args:
        entries: In ascending order of their keys.
        limit: Entries of a page, at least 1.
        after: The last key of the page before, or None for the first page.
        key: What an entry is sorted by.
    """
    rest = [entry for entry in entries if after is None or key(entry) > after]
    page = rest[:limit]
    return page, key(page[-1]) if len(rest) > limit else None


class _MadeAnswer(Response):
    """A whole answer, packed where its reader takes that, and sent no faster than it is taken."""

    def __init__(self, request: Request, body: bytes, media_type: str, headers: Mapping[str, str]) -> None:
        packing = {}
        if len(body) >= _PACK_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            body, packing = gzip.compress(body, PACK_LEVEL, mtime=0), {"content-encoding": "gzip"}
        super().__init__(body, media_type=media_type, headers={**HEADERS, **packing, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self.body) <= SENT_AT_ONCE:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with contextlib.suppress(TimeoutError):  # it takes nothing: the connection ends unfinished
            for first in range(0, len(self.body), SENT_AT_ONCE):
                piece = self.body[first : first + SENT_AT_ONCE]
                is_last = first + SENT_AT_ONCE >= len(self.body)
                async with asyncio.timeout(SEND_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": not is_last})


def _make_links(request: Request, next_after: str | None) -> dict[str, str]:
    """Where the next page is (RFC 8288), relative to this one, so that no proxy in between matters."""
    if next_after is None:
        return {}
    others = {name: value for name, value in request.query_params.items() if name != "after"}
    return {"link": f'<?{urlencode({**others, "after": next_after})}>; rel="next"'}


def _parse_preferences(accept: str) -> Iterable[tuple[str, float]]:
    """Media types of an Accept header with their weights; what cannot be read does not count."""
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weights = [text[2:] for text in parameters if text.startswith("q=")]
        try:
            yield name, float(weights[0]) if weights else 1.0
        except ValueError:
            continue


def write_csv(form: TableForm, rows: Iterable[Row], *, has_header: bool = True) -> Iterable[bytes]:
    """CSV, some lines at a time.

    Args:
        form: Its columns.
        rows: Its lines.
        has_header: Whether the names of the columns come first.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    if has_header:
        writer.writerow(form.names)
    remaining = iter(rows)
    while True:
        piece = list(islice(remaining, _ROWS_A_PIECE))
        writer.writerows(map(_format_cell, form.make_line(row)) for row in piece)
        yield lines.getvalue().encode()
        if len(piece) < _ROWS_A_PIECE:
            return
        lines.seek(0)
        lines.truncate()


def _format_cell(value: object) -> str:
    """Numbers are written as they are; an apostrophe keeps a text that looks like a formula from being run."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text

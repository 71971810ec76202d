"""Long tables as files, made and sent piece by piece: a year of quarter hours takes the memory of a month of them."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Literal, Protocol, TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from receiver.api.answers import CSV, HEADERS, PACK_LEVEL, SEND_S, SENT_AT_ONCE, FileFormat, should_send_csv, write_csv
from receiver.api.parquet import PARQUET, ParquetPieces, check_parquet
from receiver.api.tables import Row, TableForm
from receiver.errors import RefusedError
from receiver.queries.slices import run_slice
from receiver.stores.base import StoreUnavailableError

_log = structlog.get_logger()

COVERAGE_HEADER = "x-coverage"
"""A sentence that says how much is known. It is no line of the table, so that every program can read that."""
DownloadFormat: TypeAlias = Literal["csv", "parquet"]
_GZIP = 16 + zlib.MAX_WBITS


def choose_download(request: Request, wanted: FileFormat | None) -> DownloadFormat | None:
    """The form of a file, or None for JSON. Raises RefusedError for Parquet where it cannot be made."""
    if wanted == "parquet":
        check_parquet()
        return "parquet"
    return "csv" if should_send_csv(request, wanted) else None


async def list_pieces(rows: Iterable[Row]) -> AsyncIterator[Iterable[Row]]:
    """Rows that are there already, as the only piece of a file."""
    yield rows


async def make_download(
    request: Request, form: TableForm, pieces: AsyncIterator[Iterable[Row]], *, kind: DownloadFormat, coverage: str
) -> Response:
    """The answer; what is refused is refused before its first byte.

    Args:
        request: Whose accepted encodings count.
        form: The columns.
        pieces: The rows, in the order of time. They are asked for while the answer is sent.
        kind: CSV or Parquet.
        coverage: A sentence that says how much is known.
    """
    encoder: _Encoder = _CsvPieces(form) if kind == "csv" else ParquetPieces(form, {"coverage": coverage})
    first = await run_slice(encoder.encode, await anext(pieces, ()))
    is_packed = kind == "csv" and "gzip" in request.headers.get("accept-encoding", "")
    headers = {**HEADERS, COVERAGE_HEADER: coverage, **({"content-encoding": "gzip"} if is_packed else {})}
    media_type = CSV if kind == "csv" else PARQUET
    return _Download(first, pieces, encoder, is_packed=is_packed, media_type=media_type, headers=headers)


class _Encoder(Protocol):
    """Makes the bytes of a file from its rows."""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The bytes of some rows."""
        ...

    def finish(self) -> bytes:
        """The last bytes of the file."""
        ...


class _CsvPieces:
    """Writes a table as CSV."""

    def __init__(self, form: TableForm) -> None:
        self._form = form
        self._has_begun = False

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The lines, and before the first ones the header."""
        lines = b"".join(write_csv(self._form, rows, has_header=not self._has_begun))
        self._has_begun = True
        return lines

    def finish(self) -> bytes:
        """Nothing."""
        return b""


class _Download(Response):
    """An answer that is made while it is sent, and no faster than it is taken."""

    def __init__(
        self,
        first: bytes,
        pieces: AsyncIterator[Iterable[Row]],
        encoder: _Encoder,
        *,
        is_packed: bool,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(None, media_type=media_type, headers=dict(headers))
        del self.headers["content-length"]  # nobody knows it yet
        self._first, self._pieces, self._encoder = first, pieces, encoder
        self._packer = zlib.compressobj(PACK_LEVEL, wbits=_GZIP) if is_packed else None

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it. Where that cannot be done to the end, the connection ends unfinished, which readers notice."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for body in self._make_bodies():
                for first in range(0, len(body), SENT_AT_ONCE):
                    piece = body[first : first + SENT_AT_ONCE]
                    async with asyncio.timeout(SEND_S):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return
        except (StoreUnavailableError, RefusedError) as error:
            _log.warning("a download ends before its end", reason=str(error))

    async def _make_bodies(self) -> AsyncIterator[bytes]:
        yield await run_slice(self._pack, self._first)
        async for rows in self._pieces:
            yield await run_slice(self._make_body, rows)
        yield await run_slice(self._make_end)

    def _make_body(self, rows: Iterable[Row]) -> bytes:
        return self._pack(self._encoder.encode(rows))

    def _make_end(self) -> bytes:
        return self._pack(self._encoder.finish()) + (b"" if self._packer is None else self._packer.flush())

    def _pack(self, body: bytes) -> bytes:
        return body if self._packer is None else self._packer.compress(body)

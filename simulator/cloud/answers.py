"""Replies of the cloud, in the forms that it has."""

import json
from typing import Any

from simulator.web.messages import ByteWriter, Response, Takeover, encode


def answer_json(value: Any, status: int = 200) -> Response:
    """A document."""
    return Response(status, json.dumps(value).encode(), "application/json;charset=UTF-8")


def answer_page(title: str, body: str, status: int = 200) -> Response:
    """A web page."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><p>{body}</p></body></html>\n"
    return Response(status, page.encode(), "text/html;charset=UTF-8")


def answer_redirect(to: str) -> Response:
    """A redirect of the browser."""
    return Response(302, b"", "text/html", (("Location", to),))


def cut_off(response: Response) -> Takeover:
    """The first half of a reply; then the connection ends."""

    async def write(writer: ByteWriter) -> None:
        whole = encode(response, (), keep_alive=False)
        writer.write(whole[: len(whole) // 2])
        await writer.drain()

    return Takeover(write)

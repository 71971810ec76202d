"""The owner's approval in the browser: the address to open, and what comes back. Pure."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from scraper.errors import WrongUseError

REDIRECT_PATH = "/oauth/redirect_uri"
"""Enphase's own page, which shows the code to people without a server."""
_CODE = re.compile(r"[0-9A-Za-z_~.-]{4,256}")


def make_address(api_url: str, client_id: str, redirect_uri: str, state: str) -> str:
    """What the owner opens. `state` comes back with the code, so that nobody can slip in a code of theirs."""
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    return f"{api_url}/oauth/authorize?{urlencode(query)}"


def read_code(text: str, state: str) -> str:
    """The code, of itself or of the whole address that the browser landed on.

    Raises WrongUseError, with a sentence that does not hold the code.
    """
    text = text.strip().strip("\"'")
    if "?" not in text and "=" not in text:
        return _check_code(text)
    query = parse_qs(urlsplit(text).query or text)
    if query.get("error"):
        if query["error"] == ["access_denied"]:
            raise WrongUseError("the owner refused: nothing was changed; begin again with `cloud authorise`")
        raise WrongUseError("Enphase sent an error instead of a code: begin again with `cloud authorise`")
    if query.get("state") != [state]:
        raise WrongUseError(
            "this address belongs to another attempt (its state differs): open the address that this command prints, "
            "and give back the one that the browser lands on, or the code alone"
        )
    return _check_code(query.get("code", [""])[0])


def _check_code(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise WrongUseError("there is no code in it: give the code that the page shows, or the whole address")
    return code

"""Short links that open the page: made, listed and revoked here, each with a name for people.

A link holds a code of 16 letters and digits (95 bits) instead of a signed token, so that it can be read out and fits a
small QR code. The list (`links.json` in the state directory) holds the SHA-256 of each code, never the code. What the
list does not say is not good: a list that cannot be read or understood opens nothing.
"""

import hashlib
import re
import secrets
import string
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from receiver.auth.compact import make_unauthorised
from receiver.auth.keys import ReaderScope
from receiver.auth.reloading import ReloadingFile, lock_for_change
from receiver.errors import ReceiverSettingError, RefusedError
from shared.clock import Clock
from shared.files import UnsafeFileError, read_private, read_regular, write_private
from shared.problems import Problem
from shared.units import DAY_S

LIST_FILE = "links.json"
STANDING_FILE = "page-link"
STANDING_DAYS = 3650
"""A link is good for ten years unless its maker says otherwise: it is ended by revoking it."""
_LENGTH = 16
_ALPHABET = string.ascii_letters + string.digits
_CODE = re.compile(rf"[0-9A-Za-z]{{{_LENGTH}}}")
_GUESSES_A_SECOND = 10.0
_GUESSES_AT_ONCE = 50.0

_log = structlog.get_logger()


class PageLink(msgspec.Struct, frozen=True):
    """What the list says of one link. Times in whole seconds since 1970."""

    id: str
    digest: str
    name: str
    gateways: list[str]
    created: int
    expires: int
    revoked: bool = False
    scope: ReaderScope = "read"


_decoder = msgspec.json.Decoder(list[PageLink])


def is_code(text: str) -> bool:
    """Whether it has the form of a link's code, which no signed token has."""
    return _CODE.fullmatch(text) is not None


def make_page_link(public_url: str, code: str) -> str:
    """The address that opens the page: the code stands in the fragment, which browsers never send to a server."""
    return f"{public_url}/#t={code}"


def parse_links(content: bytes | OSError | None) -> Mapping[str, PageLink]:
    """The links by digest; none where the list cannot be read or understood. `content`: as `ReloadingFile` gives it."""
    if content is None:
        return {}
    if isinstance(content, OSError):
        _log.error("the list of links cannot be read: no link opens the page", file=LIST_FILE, error=content.strerror)
        return {}
    try:
        return {link.digest: link for link in _decoder.decode(content)}
    except (msgspec.DecodeError, UnicodeDecodeError):
        _log.error("the list of links is damaged: no link opens the page", file=LIST_FILE)
        return {}


class LinkGate:
    """Lets the codes of links in, and bounds how often wrong ones may be tried, by all together.

    Args:
        links: The list.
        clock: What time it is.
    """

    def __init__(self, links: ReloadingFile[Mapping[str, PageLink]], clock: Clock) -> None:
        self._links = links
        self._clock = clock
        self._guesses = _GUESSES_AT_ONCE
        self._counted = clock.monotonic()

    def admit(self, code: str) -> PageLink:
        """The link of a code. Raises RefusedError: unauthorised, or too-many-requests for a wrong code among many."""
        digest = _make_digest(code)
        link = self._links.get().get(digest)
        if link is None:
            self._spend_guess()
            link = self._links.look_now().get(digest)  # made a moment ago: whoever has it opens it at once
        if link is None or link.revoked or self._clock.now_ms() // 1000 >= link.expires:
            raise make_unauthorised("unknown-link")
        return link

    def _spend_guess(self) -> None:
        now = self._clock.monotonic()
        saved = self._guesses + (now - self._counted) * _GUESSES_A_SECOND
        self._guesses, self._counted = min(_GUESSES_AT_ONCE, saved), now
        if self._guesses < 1:
            raise RefusedError(Problem.TOO_MANY_REQUESTS, "link-guesses", retry_after=1)
        self._guesses -= 1


def load(state_dir: Path) -> list[PageLink]:
    """Every link ever made here, oldest first. Raises ReceiverSettingError."""
    path = state_dir / LIST_FILE
    try:
        return _decoder.decode(read_regular(path))
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReceiverSettingError(f"the list of links {path} cannot be read: restore it or move it away") from error


def create(
    state_dir: Path, *, name: str, gateways: list[str], days: int, now_s: int, scope: ReaderScope = "read"
) -> tuple[PageLink, str]:
    """A new link and its code, which is kept nowhere. `scope`: what it may do. Raises ReceiverSettingError."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    end = now_s + days * DAY_S
    link = PageLink(secrets.token_hex(4), _make_digest(code), name, gateways, now_s, end, scope=scope)
    with lock_for_change(state_dir / LIST_FILE):
        _save(state_dir, [*load(state_dir), link])
    return link, code


def find_or_make_standing(state_dir: Path, *, name: str, gateways: list[str], now_s: int) -> str:
    """The code of the owner's link that every start shows again; a new one where it is missing or revoked.

    One that does not open all of the gateways opens them from now on, so that one more gateway signs nobody out. It is
    kept in a private file beside the key that signs reader tokens. One that an earlier version made reads alone: it may
    have been handed on, so it stays what it is, and the owner gets another. Raises ReceiverSettingError.
    """
    path = state_dir / STANDING_FILE
    try:
        code = read_private(path).decode().strip() if path.exists() else ""
        digest = _make_digest(code)
        for link in load(state_dir):
            if link.digest != digest or link.revoked or link.expires <= now_s:
                continue
            if link.scope == "owner":
                _add_gateways(state_dir, link, gateways)
                return code
        _, code = create(state_dir, name=name, gateways=gateways, days=STANDING_DAYS, now_s=now_s, scope="owner")
        write_private(path, code.encode())
        return code
    except UnsafeFileError as error:
        raise ReceiverSettingError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReceiverSettingError(f"{path} cannot be used: remove it, and a new link is made") from error


def revoke(state_dir: Path, link_id: str) -> bool:
    """Make a link worthless within seconds; whether there is one of this id. Raises ReceiverSettingError."""
    with lock_for_change(state_dir / LIST_FILE):
        links = load(state_dir)
        if not any(link.id == link_id for link in links):
            return False
        _save(state_dir, [msgspec.structs.replace(one, revoked=True) if one.id == link_id else one for one in links])
        return True


def _add_gateways(state_dir: Path, wanted: PageLink, gateways: list[str]) -> None:
    """Let a link open these gateways too. Raises ReceiverSettingError."""
    if set(gateways) <= set(wanted.gateways):
        return
    with lock_for_change(state_dir / LIST_FILE):
        _save(
            state_dir,
            [
                msgspec.structs.replace(one, gateways=sorted({*one.gateways, *gateways}))
                if one.id == wanted.id
                else one
                for one in load(state_dir)
            ],
        )


def _make_digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _save(state_dir: Path, links: list[PageLink]) -> None:
    path = state_dir / LIST_FILE
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(links)), keep_mode=True)
    except OSError as error:
        raise ReceiverSettingError(f"{path} cannot be written ({error.strerror})") from error

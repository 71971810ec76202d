"""The owner's approval as this program keeps it: one private file, replaced whole, never lost by a failure.

The file is written before a new pair of tokens is used, and before an attempt to renew it: whoever reads it after a
kill knows whether an attempt was made whose result nobody heard.
"""

import base64
import contextlib
from pathlib import Path

import msgspec

from scraper.cloud.errors import CloudLaterError, GrantNeededError
from shared.files import UnsafeFileError, read_private, sync_directory, write_private
from shared.units import DAY_S

GRANT_FILE = "cloud-grant.json"
REFRESH_LIFE_S = 30 * DAY_S
"""How long a refresh token lives if it does not say."""
_WARN_AFTER_S = 20 * DAY_S
AUTHORISE = "run `envoy-scraper cloud authorise`"


class OwnerGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of tokens and what is known about it. Times in epoch seconds.

    Attributes:
        access, refresh: The tokens. Secret: they stand in no message and no `repr`.
        expires_at: When the access token ends.
        obtained_at: When the pair came.
        client_id: The application that it belongs to.
        attempt_at: When a renewal began whose result is not known; None if there is none.
        refusals: Clear refusals of this refresh token so far.
        ended: Why it is dead, in words; None while it lives.
    """

    access: str
    refresh: str
    expires_at: int
    obtained_at: int
    client_id: str
    attempt_at: int | None = None
    refusals: int = 0
    ended: str | None = None

    def __repr__(self) -> str:
        return f"OwnerGrant(obtained_at={self.obtained_at}, expires_at={self.expires_at}, ended={self.ended!r})"

    @property
    def ends_at(self) -> int:
        """When the refresh token ends, by its own words if it has any."""
        claimed = _read_expiry(self.refresh)
        return claimed if claimed is not None and claimed > self.obtained_at else self.obtained_at + REFRESH_LIFE_S

    def needs_warning(self, now_s: float) -> bool:
        """Whether it has not been renewed for so long that somebody should look."""
        return now_s - self.obtained_at >= _WARN_AFTER_S


class GrantFile:
    """Where the grant lies.

    Args:
        state_dir: The state directory of the scraper.
    """

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / GRANT_FILE

    def load(self) -> OwnerGrant | None:
        """The grant; None before the first approval.

        Raises:
            GrantNeededError: The file is readable by others, or makes no sense.
            CloudLaterError: The disk does not let it be read.
        """
        try:
            return msgspec.json.decode(read_private(self.path), type=OwnerGrant)
        except FileNotFoundError:
            return None
        except UnsafeFileError as error:
            raise GrantNeededError(str(error)) from None
        except (msgspec.DecodeError, RecursionError):
            # `from None`: the cause may quote a token
            raise GrantNeededError(f"{self.path} is not what this program wrote: {AUTHORISE}") from None
        except OSError as error:
            raise CloudLaterError(f"{self.path} cannot be read ({error.strerror})") from None

    def save(self, grant: OwnerGrant) -> None:
        """Keep a grant, durably. Raises CloudLaterError: what was there is still there."""
        try:
            write_private(self.path, msgspec.json.encode(grant))
        except OSError as error:
            raise CloudLaterError(
                f"{self.path} cannot be written ({error.strerror}): a token is not renewed before its successor can "
                "be kept"
            ) from None

    def forget(self) -> bool:
        """Remove the grant; False if there was none. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
            sync_directory(self.path.parent)
            return True
        return False


def _read_expiry(token: str) -> int | None:
    """`exp` of a token that is a JWT, unverified: a hint; None if it has none."""
    parts = token.split(".")
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=="), type=dict[str, object])
    except (IndexError, ValueError, msgspec.DecodeError, RecursionError):
        return None
    expiry = claims.get("exp")
    return expiry if isinstance(expiry, int) and not isinstance(expiry, bool) and 0 < expiry < 2**40 else None

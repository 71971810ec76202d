"""Keeps the owner's approval alive: one refresher, and no failure that passes ever costs the grant.

A renewal is: lock, write down the attempt, ask, write down the new pair, use it. Whether Enphase ends the old refresh
token at once is not known; both are survived. After an attempt without a clear result the same token is tried once
more, and only two clear refusals end a grant.
"""

import asyncio
import contextlib
import fcntl
import os
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from scraper.cloud.errors import CloudLaterError, GrantNeededError
from scraper.cloud.grant import AUTHORISE, GrantFile, OwnerGrant
from scraper.cloud.token_endpoint import Application, GrantRefusedError, TokenEndpoint
from scraper.errors import ScraperError
from shared.backoff import Backoff
from shared.clock import Clock
from shared.files import PRIVATE_FILE, make_private_directory
from shared.units import DAY_S, HOUR_S

log = structlog.get_logger()

RENEW_BEFORE_S = HOUR_S
"""An access token is renewed when it has less than this left."""
OLD_AT_START_S = 12 * HOUR_S
"""At the start a pair that is older is renewed at once: the next chance may come late."""
MOST_REFUSALS = 2
_FIRST_DELAY_S, _LONGEST_DELAY_S = 60.0, float(HOUR_S)
_LOOK_S = 0.1
_ENDED = (
    "Enphase no longer accepts the owner's approval: it ended, was withdrawn, or another program renewed it "
    f"(give each program an approval of its own); {AUTHORISE}"
)


class GrantKeeper:
    """Gives access tokens. The file is read each time: a new approval works without a restart.

    Args:
        file: Where the grant lies.
        endpoint: Asked for new pairs.
        read_application: Gives the application's keys as they are now.
        count_call: Counts each call of the endpoint before it is sent.
        clock: Time.
        rng: Dice for delays.

    Attributes:
        ends_at: When the grant would end if it were no longer renewed (epoch seconds); None if there is none.
    """

    def __init__(
        self,
        file: GrantFile,
        endpoint: TokenEndpoint,
        read_application: Callable[[], Application],
        count_call: Callable[[], None],
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._file = file
        self._endpoint = endpoint
        self._read_application = read_application
        self._count_call = count_call
        self._clock = clock
        self._turn = asyncio.Lock()
        self._backoff = Backoff(rng, first_s=_FIRST_DELAY_S, longest_s=_LONGEST_DELAY_S, shortest_share=0.5)
        self._retry_at_ms = 0
        self._unsaved: tuple[str, OwnerGrant] | None = None
        self._is_start = True
        self._wrong_keys: tuple[Application, str, str] | None = None
        self._warned_s = 0
        self.ends_at: int | None = None

    async def get_access(self, refused: str | None = None) -> str:
        """An access token that should work.

        Args:
            refused: One that the API refused: it is not given again.

        Raises:
            GrantNeededError: A person is needed.
            CloudLaterError: There is none now.
        """
        grant = self._load()
        if not self._is_due(grant, refused):
            self._is_start = False
            return grant.access
        renewing = asyncio.create_task(self._renew(grant, refused))
        try:
            return (await asyncio.shield(renewing)).access
        except asyncio.CancelledError:
            # a pair that is on its way may be the only one that lives: it is kept before anything ends
            await asyncio.wait({renewing})
            if not renewing.cancelled():
                renewing.exception()  # whoever waits next is told
            raise
        except CloudLaterError:
            self._say_age(grant)
            if grant.access != refused and grant.expires_at > self._read_second():
                return grant.access
            raise

    async def maintain(self) -> None:
        """Renew in time, also while nothing is read for weeks because the month's calls are used up. Never returns."""
        while True:
            with contextlib.suppress(ScraperError):  # said wherever the grant is needed
                await self.get_access()
            await self._clock.sleep(HOUR_S)

    def _load(self) -> OwnerGrant:
        grant = self._file.load()
        self.ends_at = None if grant is None or grant.ended is not None else grant.ends_at
        if grant is None:
            raise GrantNeededError(f"the owner has not approved this application yet: {AUTHORISE}")
        if grant.ended is not None:
            raise GrantNeededError(grant.ended)
        application = self._read_application()
        if grant.client_id != application.client_id:
            raise GrantNeededError(
                "the owner's approval belongs to another application than ENVOY_CLOUD_CLIENT_ID names: set that one, "
                f"or {AUTHORISE}"
            )
        if self._wrong_keys is not None and self._wrong_keys[:2] == (application, grant.access):
            raise GrantNeededError(self._wrong_keys[2])
        return grant

    def _is_due(self, grant: OwnerGrant, refused: str | None) -> bool:
        now_s = self._read_second()
        is_old = self._is_start and now_s - grant.obtained_at > OLD_AT_START_S
        return is_old or grant.access == refused or grant.expires_at - now_s < RENEW_BEFORE_S

    async def _renew(self, seen: OwnerGrant, refused: str | None) -> OwnerGrant:
        async with self._turn, hold_lock_beside(self._file.path):
            self._save_late()
            grant = self._load()
            if grant.access != seen.access and not self._is_due(grant, refused):
                return grant  # another process was faster
            if self._clock.now_ms() < self._retry_at_ms:
                raise CloudLaterError("the Enphase token endpoint gave no clear answer", self._retry_at_ms)
            try:
                renewed = await self._ask(grant)
            except CloudLaterError as error:
                self._retry_at_ms = self._clock.now_ms() + round(self._backoff.draw_delay() * 1000)
                raise CloudLaterError(str(error), self._retry_at_ms) from None
            self._unsaved = grant.refresh, renewed
            self._file.save(renewed)
            self._unsaved, self._is_start, self._retry_at_ms = None, False, 0
            self.ends_at = renewed.ends_at
            self._backoff.succeed()
            return renewed

    def _save_late(self) -> None:
        """Keep the pair that the disk did not take, unless a person has approved again since, or forgotten it."""
        if self._unsaved is None:
            return
        renewed_from, pair = self._unsaved
        kept = self._file.load()
        if kept is not None and kept.refresh == renewed_from:
            self._file.save(pair)
        self._unsaved = None

    async def _ask(self, grant: OwnerGrant) -> OwnerGrant:
        application = self._read_application()
        while True:
            now_s = self._read_second()
            self._file.save(msgspec.structs.replace(grant, attempt_at=now_s))
            self._count_call()
            try:
                return await self._endpoint.renew(application, grant.refresh, now_s)
            except GrantRefusedError:
                refusals = grant.refusals + 1
                ended = _ENDED if refusals >= MOST_REFUSALS else None
                grant = msgspec.structs.replace(grant, attempt_at=None, refusals=refusals, ended=ended)
                self._file.save(grant)
                if ended is not None:
                    self.ends_at = None
                    log.error("the owner's approval has ended; nothing is read until a person renews it")
                    raise GrantNeededError(ended) from None
            except GrantNeededError as error:
                self._file.save(grant)
                self._wrong_keys = (application, grant.access, str(error))  # until the keys or the approval change
                raise

    def _say_age(self, grant: OwnerGrant) -> None:
        """Say once a day that a grant has not been renewed for long, and when it ends."""
        now_s = self._read_second()
        if grant.needs_warning(now_s) and now_s - self._warned_s >= DAY_S:
            self._warned_s = now_s
            log.warning(
                "the owner's approval could not be renewed for long",
                days=(now_s - grant.obtained_at) // DAY_S,
                ends=datetime.fromtimestamp(grant.ends_at, UTC).date().isoformat(),
            )

    def _read_second(self) -> int:
        return self._clock.now_ms() // 1000


@contextlib.asynccontextmanager
async def hold_lock_beside(path: Path) -> AsyncIterator[None]:
    """Let no other process renew meanwhile; waits for it without holding up this one.

    Raises CloudLaterError if the disk does not let a lock be made.
    """
    try:
        make_private_directory(path.parent)
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    except OSError as error:
        raise CloudLaterError(f"{path.parent} cannot be written ({error.strerror})") from None
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK_S)
        yield
    finally:
        os.close(descriptor)

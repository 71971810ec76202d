"""A process that renews the owner's grant once, and dies at a chosen step of it.

    python -m tests.scraper.cloud.renewing_process STEP

STEP 0 lets it live. Exit status 0: renewed; 3: a person is needed; 4: later.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from scraper.cloud.errors import CloudLaterError, GrantNeededError
from scraper.cloud.grant import GRANT_FILE, GrantFile, OwnerGrant
from scraper.cloud.transport import ApiTransport
from scraper.service.cloud_parts import make_cloud_parts
from scraper.settings import load
from shared.clock import SystemClock

STEPS = {
    1: "before the attempt is written down",
    2: "before the file with the attempt takes its place",
    3: "before the request is sent",
    4: "after the answer, before anything of it is written",
    5: "before the file with the new pair takes its place",
    6: "after the new pair was kept",
}
RENEWED, PERSON, LATER = 0, 3, 4


class _Killer:
    """Counts saves and renames of the grant, and kills this process at its step."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.saves = 0
        self.renames = 0
        self._save, self._replace, self._post = GrantFile.save, Path.replace, ApiTransport.post_form

    def arm(self, patch: pytest.MonkeyPatch) -> None:
        """Functions, not bound methods: what they are called on comes first."""

        def save(file: GrantFile, grant: OwnerGrant) -> None:
            self.save(file, grant)

        def rename(path: Path, target: Any) -> Any:
            return self.rename(path, target)

        async def post(*details: Any) -> Any:
            self.die_at(3)
            return await self._post(*details)

        patch.setattr(GrantFile, "save", save)
        patch.setattr(Path, "replace", rename)
        patch.setattr(ApiTransport, "post_form", post)

    def save(self, file: GrantFile, grant: Any) -> None:
        self.saves += 1
        self.die_at({1: 1, 2: 4}.get(self.saves))
        self._save(file, grant)
        self.die_at(6 if self.saves == 2 else None)

    def rename(self, path: Path, target: Any) -> Path:
        if path.name.startswith(f".{GRANT_FILE}"):
            self.renames += 1
            self.die_at({1: 2, 2: 5}.get(self.renames))
        return self._replace(path, target)

    def die_at(self, step: int | None) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


async def _renew() -> int:
    parts = make_cloud_parts(load(), SystemClock())
    try:
        await parts.keeper.get_access()
    except GrantNeededError:
        return PERSON
    except CloudLaterError:
        return LATER
    finally:
        await parts.api.aclose()
    return RENEWED


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patched:
        _Killer(int(sys.argv[1])).arm(patched)
        sys.exit(asyncio.run(_renew()))

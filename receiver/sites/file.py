"""The sites file while the receiver runs: read again when it changes; a broken edit keeps the last good one."""

from pathlib import Path

import structlog

from receiver.auth.reloading import ReloadingFile
from receiver.sites.load import MAX_BYTES, SitesFileError, parse
from receiver.sites.model import NO_SITE, NO_SITES, Site, Sites
from shared.clock import Clock

_log = structlog.get_logger()


class SitesFile:
    """What the owner says about each gateway, at most 10 seconds old.

    A file that is missing or broken from the start means no sites, never no receiver: readings go on arriving.

    Args:
        path: The file, or None for no sites.
        clock: How often the file is looked at.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._good = NO_SITES
        self._file = None if path is None else ReloadingFile(path, self._parse, clock, most_bytes=MAX_BYTES + 1)

    def get(self) -> Sites:
        """All sites, by serial of the gateway."""
        return NO_SITES if self._file is None else self._file.get()

    def look_now(self) -> None:
        """See a change that was just made."""
        if self._file is not None:
            self._file.look_now()

    def get_site(self, serial: str) -> Site:
        """What the owner says of one gateway; an empty `Site` if the file does not mention it."""
        return self.get().get(serial, NO_SITE)

    def _parse(self, data: bytes | OSError | None) -> Sites:
        """Never raises: the last good content stays when the present one cannot be used."""
        path = str(self._path)
        if data is None or isinstance(data, OSError):
            _log.error("the sites file cannot be read; what it said before stays in force", path=path)
            return self._good
        try:
            self._good = parse(data)
        except SitesFileError as error:
            _log.error(
                "the sites file cannot be used; what it said before stays in force", path=path, reason=str(error)
            )
        else:
            _log.info("sites", path=path, gateways=len(self._good))
        return self._good

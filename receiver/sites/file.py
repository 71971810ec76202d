"""The sites file while the receiver runs: read again when it changes; a broken edit keeps the last good one."""

from pathlib import Path

import structlog

from receiver.auth.reloading import ReloadingFile
from receiver.sites.load import MAX_BYTES, SitesFault, parse
from receiver.sites.model import NO_SITE, NO_SITES, Site, Sites
from shared.clock import Clock

_log = structlog.get_logger()


class SitesFile:
    """What the owner says about each gateway, at most 10 seconds old.

    A file that is missing or broken from the start means no sites, never no receiver: readings go on arriving.

    Args:
        path: The file, or None for no sites.
        clock: How often to look.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._good = NO_SITES
        self._file = None if path is None else ReloadingFile(path, self._parse, clock, most_bytes=MAX_BYTES + 1)

    def get(self) -> Sites:
        """All sites, by serial of the gateway."""
        return NO_SITES if self._file is None else self._file.get()

    def of(self, serial: str) -> Site:
        """What is known of one gateway; an empty `Site` if nothing is."""
        return self.get().get(serial, NO_SITE)

    def _parse(self, data: bytes | OSError | None) -> Sites:
        """Never raises. What was good before stays when what is there now is not."""
        path = str(self._path)
        if data is None or isinstance(data, OSError):
            _log.error("the sites file cannot be read; what it said before stays in force", path=path)
            return self._good
        try:
            self._good = parse(data)
        except SitesFault as error:
            _log.error("the sites file has faults; what it said before stays in force", path=path, faults=str(error))
        else:
            _log.info("sites", path=path, gateways=len(self._good))
        return self._good

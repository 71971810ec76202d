"""A secret of the scraper, given as a value or as a file.

A file is read each time the secret is needed, so a token that was pasted into it works at the next login without a
restart.
"""

from pathlib import Path

import msgspec

from scraper.errors import ScraperSettingError
from shared.environment import UnreadableSettingError, read_secret_file


class Secret(msgspec.Struct, frozen=True):
    """Reads one secret when called; shows nothing when printed.

    Attributes:
        setting: The name of the setting. The one that names the file has `_FILE` behind it.
        value: The secret itself, or None.
        path: A file that holds it and wins over `value`, or None.
    """

    setting: str = ""
    value: str | None = None
    path: Path | None = None

    @property
    def is_set(self) -> bool:
        """Whether a value or a file is given."""
        return self.value is not None or self.path is not None

    def __call__(self) -> str | None:
        """The secret as it is now, or None. Raises ScraperSettingError if its file cannot be read."""
        if self.path is None:
            return self.value
        try:
            return read_secret_file(f"{self.setting}_FILE", self.path) or None
        except UnreadableSettingError as error:
            raise ScraperSettingError(str(error)) from error

    def __repr__(self) -> str:
        return f"Secret({self.setting})"

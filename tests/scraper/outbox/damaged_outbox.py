"""The files of a killed scraper, for tests that damage them."""

import shutil
from pathlib import Path
from typing import NamedTuple

COUNT = 400


class KilledOutbox(NamedTuple):
    """The files of a scraper that was killed with rows in the file and in its log."""

    directory: Path
    seqs: list[int]
    id: str

    @property
    def path(self) -> Path:
        return self.directory / "outbox.sqlite"

    def copy(self, to: Path) -> "KilledOutbox":
        shutil.copytree(self.directory, to)
        return self._replace(directory=to)


EXPECTED = [*range(50), *range(150, COUNT + 100)]


def list_damaged_files(path: Path) -> list[Path]:
    return [file for file in path.parent.glob("*.damaged-*") if file.name.endswith("Z")]

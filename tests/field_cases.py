"""What public reports say gateways do, as small inputs that one pretend gateway serves over real sockets.

The cases are not part of this repository. `FIELD_CASES` names their folder (default: `shared/field-cases` beside the
checkout); each folder in it has the form of a capture. Without them the tests that need them are skipped, except in CI,
where that is a failure.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.captures import ROOT, read_manifest
from tests.replay import Replay

FOLDER = Path(os.environ.get("FIELD_CASES") or ROOT.parent / "shared" / "field-cases")
_ABSENT = f"no field cases in {FOLDER}; set FIELD_CASES to their folder"
_NOW = re.compile(rb'"?@NOW([+-]\d+)?@"?')
_STREAM = "/stream/meter"
_STEADY_S = 1.0
_BURST_S = 0.004


def find_case(name: str) -> Path:
    """The folder of a case; skips the test where there are none. Raises in CI."""
    if not any(FOLDER.glob("*/manifest.json")):
        if os.environ.get("CI") == "true":
            raise RuntimeError(_ABSENT)
        pytest.skip(_ABSENT)
    return FOLDER / name


def set_dates(body: bytes, now_s: int) -> bytes:
    """The text of a case at a time (epoch seconds)."""
    return _NOW.sub(lambda found: b"%d" % (now_s + int(found[1] or 0)), body)


class FieldCase(Replay):
    """A gateway that behaves as in one case; what it says may be replaced while it runs.

    Args:
        name: Of the case.
        now: The gateway's time, epoch seconds.
        speed: The gateway's seconds in one real second.

    Attributes:
        replaced: Paths and the files that are served instead of theirs.
        gone: Set at the end; ends the stream's pauses.
    """

    def __init__(self, name: str, now: Callable[[], float], speed: float = 1.0) -> None:
        super().__init__(find_case(name))
        self.replaced: dict[str, str] = {}
        self.gone = Event()
        self._once: dict[str, str] = {}
        self._now = now
        self._speed = speed

    def put_right(self) -> None:
        """Serve what comes after: `NAME.after` in place of `NAME`."""
        after = self.folder / "manifest.json.after"
        if after.exists():
            self.entries = read_manifest(self.folder, after.name)
        for path, entry in self.entries.items():
            name = f"{entry['file']}.after"
            if (self.folder / name).exists():
                self.replaced[path] = name

    def drop_once(self, path: str, file: str) -> None:
        """Serve a file in place of a path's own for one request."""
        self._once[path] = file

    @property
    def has_dropped(self) -> bool:
        """Whether every `drop_once` has been asked for."""
        return not self._once

    def read_body(self, path: str) -> bytes:
        name = self._once.pop(path, None) or self.replaced.get(path) or self.entries[path]["file"]
        return self._date((self.folder / name).read_bytes())

    def read_events(self, path: str) -> Iterator[bytes] | None:
        for name in ("stream", "stream_meter"):
            if path == _STREAM and (self.folder / name).exists():
                return self._play((self.folder / name).read_bytes().splitlines())
        return None

    def __exit__(self, *details: object) -> None:
        self.gone.set()
        super().__exit__(*details)

    def _play(self, lines: list[bytes]) -> Iterator[bytes]:
        pace_s = _STEADY_S
        for line in filter(None, lines):
            word, *more = line.split()
            if word == b"#sleep":
                self.gone.wait(float(more[0]) / self._speed)
            elif word in (b"#steady", b"#burst"):
                pace_s = _STEADY_S if word == b"#steady" else _BURST_S
            else:
                yield b"data: " + self._date(line.removeprefix(b"data: ")) + b"\n\n"
                self.gone.wait(pace_s / self._speed)

    def _date(self, body: bytes) -> bytes:
        return set_dates(body, int(self._now()))

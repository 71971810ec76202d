"""The page's sources and what is built of them."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

WEB: Final = Path(__file__).parents[2] / "receiver" / "web"
DIST: Final = WEB / "dist"
_NOT_SOURCES = {"node_modules", "dist"}
_BUILD_S = 300


def build(task: str = "build") -> str:
    """Run a task of the build script (`build`, `check`, `test`), one at a time on this machine; what it printed.

    Raises:
        AssertionError: It failed; with what it printed.
    """
    with (WEB / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if task == "build" and _is_built():
            return ""
        done = subprocess.run(
            [str(WEB / "build.sh"), task],
            env={**os.environ, "PYTHON": sys.executable, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=_BUILD_S,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _is_built() -> bool:
    """Whether the built files are younger than every source, so that parallel tests do not pull them from each other."""
    if not (DIST / "index.html").is_file():
        return False
    built = (DIST / "index.html").stat().st_mtime
    return all(path.stat().st_mtime <= built for path in _list_sources())


def _list_sources() -> list[Path]:
    return [
        path
        for top in WEB.iterdir()
        if top.name not in _NOT_SOURCES
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file()
    ]

"""The build hook of the package: a wheel or sdist of the source holds the page, or the build fails and says why."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_WEB = Path("receiver") / "web"
_BUILT = _WEB / "dist" / "index.html"
_MADE = ("dist", "node_modules")
_LEFT_OUT = "RELAY_WITHOUT_PAGE"
"""Set where only packages without a page are wanted (the images of scraper and simulator)."""


class PageBuildHook(BuildHookInterface[Any]):
    """Builds the page before the files are gathered, unless what is there is of these sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Called before each build. An editable install takes the page from the tree, where `make web` puts it."""
        root = Path(self.root)
        if version == "editable" or os.environ.get(_LEFT_OUT) or _is_built(root):
            return
        try:
            subprocess.run(  # noqa: S603 (our own script)
                [root / _WEB / "build.sh"], check=True, env={**os.environ, "PYTHON": sys.executable}
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                "the page could not be built (see above), and a package without it shows nothing: run `make web` in "
                f"the source tree first, or set {_LEFT_OUT}=1 for a package that only scrapes ({type(error).__name__})"
            ) from error


def _is_built(root: Path) -> bool:
    """Whether the page is there and none of its sources is newer."""
    if not (root / _BUILT).exists():
        return False
    built_at = (root / _BUILT).stat().st_mtime
    sources = [path for path in (root / _WEB).iterdir() if path.name not in _MADE]
    files = [file for path in sources for file in (path.rglob("*") if path.is_dir() else [path])]
    return all(file.stat().st_mtime <= built_at for file in files if file.is_file())

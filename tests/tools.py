"""Real servers and tools for the tests: where they come from, and what becomes of a test without them."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest


def find_binary(name: str, *, build: Path, needs: Sequence[str], remedy: str) -> Path:
    """The program that its name in capitals names, else the one on the PATH, else the cached build or a build.

    Args:
        name: Of the program.
        build: Script that builds it once a machine and prints its path.
        needs: What the script needs on the PATH.
        remedy: The message where there is none and none can be built.
    """
    if named := os.environ.get(name.upper()):
        return Path(named)
    if found := shutil.which(name):
        return Path(found)
    if all(map(shutil.which, needs)):
        return Path(subprocess.run([str(build)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
    return skip_missing(remedy)


def skip_missing(reason: str) -> NoReturn:
    """Skip the test, for this machine lacks what it needs; in CI nothing may be skipped, so there it fails."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

"""Where the tests get Caddy from: CADDY, the PATH, the cached build, or a build (two minutes, once a machine)."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

BUILD = Path(__file__).with_name("build.sh")


@cache
def caddy() -> Path:
    """The binary. Skips the test with a reason if there is none and none can be built; in CI that is a failure."""
    if named := os.environ.get("CADDY"):
        return Path(named)
    if found := shutil.which("caddy"):
        return Path(found)
    if shutil.which("go"):
        return Path(subprocess.run([str(BUILD)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
    reason = "no Caddy: set CADDY to a caddy 2, put one on the PATH, or install Go to build one"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

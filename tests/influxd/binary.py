"""Where the tests get influxd from: INFLUXD, the PATH, the cached build, or a build (ten minutes, once a machine)."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

BUILD = Path(__file__).with_name("build.sh")


@cache
def influxd() -> Path:
    """The binary. Skips the test with a reason if there is none and none can be built; in CI that is a failure."""
    if named := os.environ.get("INFLUXD"):
        return Path(named)
    if found := shutil.which("influxd"):
        return Path(found)
    if shutil.which("go") and shutil.which("cargo"):
        return Path(subprocess.run([str(BUILD)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
    reason = "no InfluxDB: set INFLUXD to an influxd 2.7, put one on the PATH, or install Go and cargo to build one"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

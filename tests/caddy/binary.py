"""Where the tests get Caddy from: CADDY, the PATH, the cached build, or a build (two minutes, once a machine)."""

from functools import cache
from pathlib import Path

from tests.tools import binary

BUILD = Path(__file__).with_name("build.sh")


@cache
def caddy() -> Path:
    """The binary. Skips the test with a reason if there is none and none can be built; in CI that is a failure."""
    remedy = "no Caddy: set CADDY to a caddy 2, put one on the PATH, or install Go to build one"
    return binary("caddy", build=BUILD, needs=("go",), remedy=remedy)

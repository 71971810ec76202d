"""Where the tests get Caddy from: CADDY, the PATH, the cached build, or a build (two minutes, once a machine)."""

from functools import cache
from pathlib import Path

from tests.tools import find_binary

BUILD = Path(__file__).with_name("build.sh")


@cache
def find_caddy_binary() -> Path:
    """The binary. Skips the test with a reason if there is none and none can be built; in CI that is a failure."""
    remedy = "no Caddy: set CADDY to a caddy 2, put one on the PATH, or install Go to build one"
    return find_binary("caddy", build=BUILD, needs=("go",), remedy=remedy)

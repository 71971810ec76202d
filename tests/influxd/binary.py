"""Where the tests get influxd from: INFLUXD, the PATH, the cached build, or a build (ten minutes, once a machine)."""

from functools import cache
from pathlib import Path

from tests.tools import find_binary

BUILD = Path(__file__).with_name("build.sh")


@cache
def find_influxd_binary() -> Path:
    """The binary. Skips the test with a reason if there is none and none can be built; in CI that is a failure."""
    remedy = "no InfluxDB: set INFLUXD to an influxd 2.7, put one on the PATH, or install Go and cargo to build one"
    return find_binary("influxd", build=BUILD, needs=("go", "cargo"), remedy=remedy)

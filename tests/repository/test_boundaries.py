"""The checks of who reads the environment and the clock, and who is pure, find what they are made for, and nothing else."""

from pathlib import PurePosixPath

import pytest

from tests.repository.boundaries import find_readers, find_unkept_claims


@pytest.mark.parametrize(
    "text",
    ['import os\nHOME = os.environ["HOME"]\n', "import os\nHOME = os.getenv('HOME')\n", "\nfrom os import environ\n"],
)
def test_a_line_that_reads_the_environment_is_named(text: str):
    assert list(find_readers({PurePosixPath("scraper/uplink/sender.py"): text})) == [
        "scraper/uplink/sender.py:2 reads the environment; take the value as an argument, from the settings"
    ]


@pytest.mark.parametrize(
    "path",
    ["receiver/settings/loading.py", "scraper/settings/loading.py", "shared/environment.py", "tests/conftest.py"],
)
def test_settings_and_tests_may_read_it(path: str):
    assert list(find_readers({PurePosixPath(path): "import os\nHOME = os.environ\n"})) == []


def test_other_names_are_no_environment():
    text = "def answer(environ):\n    return environ['PATH_INFO']\n"
    assert list(find_readers({PurePosixPath("shared/status_server.py"): text})) == []


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import UTC, datetime\nNOW = datetime.now(UTC)\n",
        "import datetime as dt\nNOW = dt.datetime.now(dt.UTC)\n",
        "from datetime import date\nNOW = date.today()\n",
    ],
)
def test_a_line_that_reads_the_clock_is_named(text: str):
    assert list(find_readers({PurePosixPath("receiver/queries/now.py"): text})) == [
        "receiver/queries/now.py:2 reads the clock; take a `Clock` or the time as an argument"
    ]
    assert list(find_readers({PurePosixPath("shared/clock.py"): text})) == []


def test_a_given_time_is_no_clock():
    text = "def render(clock, at):\n    return clock.now_ms(), datetime.fromtimestamp(at, UTC), at.date()\n"
    assert list(find_readers({PurePosixPath("receiver/queries/now.py"): text})) == []


CONTRACT = "[importlinter:contract:pure]\nsource_modules =\n    shared.wire\n    receiver.calendar\n"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("shared/wire.py", False),
        ("receiver/calendar/__init__.py", False),
        ("receiver/calendar/days.py", False),
        ("shared/wires.py", True),
        ("tests/wires.py", False),
    ],
)
def test_a_module_that_calls_itself_pure_is_in_the_contract(path: str, named: bool):
    files = {PurePosixPath(".importlinter-pure"): CONTRACT, PurePosixPath(path): '"""Encodes rows. Pure."""\n'}
    assert [claim.split(":")[0] for claim in find_unkept_claims(files)] == [f"{path} says that it is pure"] * named

"""The sites file of a running receiver: seen when it changes, and never worse than it was."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from receiver.sites import NO_SITE, SitesFile
from receiver.sites.load import MAX_BYTES
from tests.clocks import StoppedClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sites.yaml"
    path.write_text("1: {name: Home}")
    return path


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


def test_a_change_is_seen_within_thirty_seconds(path: Path, clock: StoppedClock):
    sites = SitesFile(path, clock)
    assert sites.get_site("1").name == "Home"
    path.write_text("1: {name: Holiday home}\n2: {name: Parents}")
    clock.advance(30)
    assert (sites.get_site("1").name, sites.get_site("2").name) == ("Holiday home", "Parents")


@pytest.mark.parametrize("broken", ["1: {nmae: Home}", "1: {", "x" * (MAX_BYTES + 5), None])
def test_a_broken_edit_keeps_the_last_good_one_and_is_logged(path: Path, clock: StoppedClock, broken: str | None):
    """Misspelt, no YAML, huge, gone; and the next good edit counts again."""
    sites = SitesFile(path, clock)
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    clock.advance(30)
    with capture_logs() as logs:
        assert sites.get_site("1").name == "Home"
    assert [line["log_level"] for line in logs] == ["error"]
    assert "stays in force" in logs[0]["event"]
    path.write_text("1: {name: Mended}")
    clock.advance(30)
    assert sites.get_site("1").name == "Mended"


@pytest.mark.parametrize("broken", ["1: {", None])
def test_a_file_that_is_broken_from_the_start_is_empty(path: Path, clock: StoppedClock, broken: str | None):
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    sites = SitesFile(path, clock)
    assert sites.get_site("1") is NO_SITE
    path.write_text("1: {name: Home}")
    clock.advance(30)
    assert sites.get_site("1").name == "Home"


def test_no_file_knows_nobody(clock: StoppedClock):
    assert SitesFile(None, clock).get() == {}
    assert SitesFile(None, clock).get_site("1") is NO_SITE

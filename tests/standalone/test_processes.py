"""Children: announced, reported, stopped with everything they started."""

import os

import pytest

from standalone.errors import ChildDiedError, NotReadyError
from standalone.processes import ProcessGroup
from tests.standalone.commands import PROJECT, list_descendants, list_living, wait_until


@pytest.fixture
async def group(tmp_path):
    group = ProcessGroup(tmp_path, PROJECT, os.environ)
    yield group
    group.kill()
    await group.stop()


def list_mules() -> dict[int, str]:
    """The child and its own child; a process that has only just begun shows no arguments yet."""
    return {
        pid: args for pid, args in list_descendants(os.getpid()).items() if "stubborn" in args or "sleep(600)" in args
    }


async def test_a_child_that_will_not_stop_is_killed_with_its_children(group):
    child = await group.start("mule", "tests.standalone.stubborn", environment={})
    assert await child.read_announcement(30) == "ready"
    wait_until(lambda: len(list_mules()) == 2, lambda: f"seen: {list_mules()}", lambda: child.running)
    below = list_mules()
    assert await child.stop(grace_s=0.2) == -9
    wait_until(lambda: not list_living(below), lambda: f"left: {list_living(below)}", lambda: True)
    assert list(child.lines) == ["I stay", "did not stop within 0 s and was killed"]


async def test_a_child_that_dies_is_reported_with_status_and_last_words(group, tmp_path):
    child = await group.start("calculator", "tests.standalone.no_such_module", environment={})
    death = await group.wait_for_unexpected_end()
    assert isinstance(death, ChildDiedError)
    assert death.status == 1
    assert str(death).startswith("the calculator ended with exit status 1; its last lines:\n")
    assert "no_such_module" in str(death)
    assert "no_such_module" in (tmp_path / "calculator.log").read_text()
    assert (tmp_path / "calculator.log").stat().st_mode & 0o077 == 0
    assert not child.running


async def test_a_child_that_ends_before_it_announces_itself_is_a_death_not_a_time_out(group):
    child = await group.start("simulator", "tests.standalone.no_such_module", environment={})
    with pytest.raises(ChildDiedError, match="exit status 1"):
        await child.read_announcement(30)


async def test_a_child_that_says_nothing_in_time_is_named(group):
    child = await group.start("simulator", "timeit", "-n", "1", "import time; time.sleep(600)", environment={})
    with pytest.raises(NotReadyError, match="the simulator did not start"):
        await child.read_announcement(0.01)


async def test_a_child_that_may_finish_is_no_death(group):
    await group.start("history", "this", environment={}, may_finish=True)
    await group.start("calculator", "tests.standalone.no_such_module", environment={})
    assert (await group.wait_for_unexpected_end()).name == "calculator"


async def test_a_short_command_gives_its_output_or_its_error(group):
    assert "Beautiful is better" in await group.run("zen", "this", environment={})
    with pytest.raises(ChildDiedError, match="the command ended with exit status 1"):
        await group.run("command", "tests.standalone.no_such_module", environment={})


async def test_what_a_child_prints_is_never_written_to_its_log(group, tmp_path):
    """Announcements hold tokens."""
    child = await group.start("simulator", "this", environment={}, may_finish=True)
    assert (await child.read_announcement(30)).startswith("The Zen")
    await child.wait_for_end()
    assert (tmp_path / "simulator.log").read_text() == ""

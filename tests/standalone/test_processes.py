"""Children: announced, reported, stopped with everything they started."""

import os

import pytest

from standalone.errors import ChildDiedError, NotReadyError
from standalone.processes import ProcessGroup
from tests.standalone.commands import PROJECT, descendants, living, wait_until


@pytest.fixture
async def family(tmp_path):
    family = ProcessGroup(tmp_path, PROJECT, os.environ)
    yield family
    family.kill()
    await family.stop()


def mules() -> dict[int, str]:
    """The child and its own child; a process that has only just begun shows no arguments yet."""
    return {pid: args for pid, args in descendants(os.getpid()).items() if "stubborn" in args or "sleep(600)" in args}


async def test_a_child_that_will_not_stop_is_killed_with_its_children(family):
    child = await family.start("mule", "tests.standalone.stubborn", environment={})
    assert await child.announcement(30) == "ready"
    wait_until(lambda: len(mules()) == 2, lambda: f"seen: {mules()}", lambda: child.running)
    below = mules()
    assert await child.stop(grace_s=0.2) == -9
    wait_until(lambda: not living(below), lambda: f"left: {living(below)}", lambda: True)
    assert list(child.lines) == ["I stay", "did not stop within 0 s and was killed"]


async def test_a_child_that_dies_is_reported_with_status_and_last_words(family, tmp_path):
    child = await family.start("calculator", "tests.standalone.no_such_module", environment={})
    death = await family.first_death()
    assert isinstance(death, ChildDiedError)
    assert death.status == 1
    assert str(death).startswith("the calculator ended with exit status 1; its last lines:\n")
    assert "no_such_module" in str(death)
    assert "no_such_module" in (tmp_path / "calculator.log").read_text()
    assert not child.running


async def test_a_child_that_ends_before_it_announces_itself_is_a_death_not_a_time_out(family):
    child = await family.start("simulator", "tests.standalone.no_such_module", environment={})
    with pytest.raises(ChildDiedError, match="exit status 1"):
        await child.announcement(30)


async def test_a_child_that_says_nothing_in_time_is_named(family):
    child = await family.start("simulator", "http.server", "--bind", "127.0.0.1", "0", environment={})
    with pytest.raises(NotReadyError, match="the simulator did not start"):
        await child.announcement(0.01)


async def test_a_child_that_may_finish_is_no_death(family):
    await family.start("history", "this", environment={}, may_finish=True)
    await family.start("calculator", "tests.standalone.no_such_module", environment={})
    assert (await family.first_death()).name == "calculator"


async def test_a_short_command_gives_its_output_or_its_error(family):
    assert "Beautiful is better" in await family.run("zen", "this", environment={})
    with pytest.raises(ChildDiedError, match="the command ended with exit status 1"):
        await family.run("command", "tests.standalone.no_such_module", environment={})


async def test_what_a_child_prints_is_never_written_to_its_log(family, tmp_path):
    """Announcements hold tokens."""
    child = await family.start("simulator", "this", environment={}, may_finish=True)
    assert (await child.announcement(30)).startswith("The Zen")
    await child.died()
    assert (tmp_path / "simulator.log").read_text() == ""

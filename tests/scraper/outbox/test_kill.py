"""SIGKILL at every statement: what was acknowledged is there, and a transaction is there whole or not at all."""

import os
import signal

import pytest

from scraper.errors import OutboxInUseError
from scraper.outbox import schema
from tests.scraper.outbox.processes import die_at_statement, is_killed, run_in_child
from tests.scraper.outbox.support import list_losses, list_numbers, list_rows, make_readings, open_outbox

GROUP = 5


def die_everywhere(path, work, prepare, check, *, stride=1):
    """Run `work(path, say)` in children that die at statement 1, 2, 3, ... until one lives; `check(path, said)` each."""
    for nth in range(1, 1000, stride):
        here = path / str(nth) / "outbox.sqlite"
        prepare(here)
        with pytest.MonkeyPatch.context() as patched:

            def die_here(say, here=here, nth=nth, patched=patched):
                die_at_statement(patched, nth)
                work(here, say)

            said, status = run_in_child(die_here)
        check(here, said)
        if not is_killed(status):
            assert status == 0
            return nth
    raise AssertionError("it never came to its end")


def test_appending_and_settling(tmp_path):
    """Groups that were acknowledged survive, in whole; groups that were settled stay settled."""

    def prepare(path):
        """Nothing lies there yet."""

    def work(path, say):
        box = open_outbox(path)
        for group in range(3):
            box.append(make_readings(group * GROUP, GROUP))
            say(group)
        first = [row.seq for row in box.read_oldest(GROUP, 10**6)]
        box.settle(first[1:], {first[0]: "too-old"})
        say(3)
        box.replay()
        say(4)
        box.close()

    def check(path, said):
        box = open_outbox(path)
        left = list_numbers(box)
        groups = [left.count(group * GROUP + 1) for group in range(3)]
        assert list_losses(box) == []
        assert box.read_stats().rows == len(left)
        if 3 in said:
            assert groups == [0, 1, 1]
            assert len(left) + box.read_stats().dead_letters == 2 * GROUP + 1
        for group in range(3):
            whole = set(range(group * GROUP, (group + 1) * GROUP))
            if group in said and (group > 0 or 3 not in said):
                present = whole <= set(left) or (group == 0 and whole & set(left) <= {0})
                assert present, "acknowledged, or settled just before the kill"
            assert whole & set(left) in (whole, set(), {0} & whole)
        box.append(make_readings(1000))
        assert len({row.seq for row in list_rows(box)}) == len(left) + 1
        box.close()

    assert die_everywhere(tmp_path, work, prepare, check) > 30


def test_dropping_beyond_the_quota(tmp_path):
    """The rows and the record of their loss go together or not at all."""

    def prepare(path):
        box = open_outbox(path)
        box.append(make_readings(0, 400))
        box.close()

    def work(path, say):
        open_outbox(path, quota_bytes=64 * 1024).append(make_readings(400, GROUP))
        say(1)

    def check(path, said):
        box = open_outbox(path)
        left = list_numbers(box)
        lost = sum(int(event.fields["rows"]) for event in list_losses(box))
        assert len(left) + lost == (405 if 404 in left else 400)
        assert not said or (404 in left and lost)
        box.close()

    assert die_everywhere(tmp_path, work, prepare, check, stride=9) > 10


def test_salvaging(tmp_path):
    """A kill while a damaged file is salvaged costs no sound row."""

    def prepare(path):
        box = open_outbox(path)
        box.append(make_readings(0, 20))
        box.close()
        path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])

    def check(path, _):
        box = open_outbox(path)
        assert list_numbers(box) == list(range(20))
        assert len(list_losses(box)) <= 1
        box.close()

    assert die_everywhere(tmp_path, lambda path, _: open_outbox(path), prepare, check) > 20


def test_migrating(tmp_path):
    """The old schema or the new one, never neither; the rows stay."""
    newer = (*schema.MIGRATIONS, ("CREATE TABLE more (x)", "ALTER TABLE state ADD COLUMN y", "CREATE TABLE last (x)"))

    def prepare(path):
        box = open_outbox(path)
        box.append(make_readings(0, 3))
        box.close()

    def work(path, _):
        connection = schema.connect(path)
        schema.migrate(connection, newer)
        connection.close()

    def check(path, _):
        connection = schema.connect(path)
        version = schema.read_schema_version(connection)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"more", "last"} & tables == ({"more", "last"} if version == len(newer) else set())
        assert version in (len(newer), len(schema.MIGRATIONS))
        schema.migrate(connection, newer)
        schema.verify(connection, newer)
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (3,)
        connection.close()

    assert die_everywhere(tmp_path, work, prepare, check) > 6


def test_a_migration_that_fails_leaves_the_old_schema(tmp_path):
    path = tmp_path / "outbox.sqlite"
    open_outbox(path).close()
    connection = schema.connect(path)
    with pytest.raises(Exception, match="syntax error"):
        schema.migrate(connection, (*schema.MIGRATIONS, ("CREATE TABLE more (x)", "NONSENSE")))
    connection.close()
    open_outbox(path).close()


def test_a_writer_that_is_killed_at_any_moment_again_and_again(tmp_path):
    """Also inside SQLite's own writes: the next one finds all that was acknowledged, and goes on."""
    path = tmp_path / "outbox.sqlite"
    made = 0
    for life in range(25):

        def work(say, made=made):
            box = open_outbox(path)
            for group in range(1000):
                box.append(make_readings(made + group * GROUP, GROUP))
                say(group)
                if group % 5 == 4:
                    box.settle([row.seq for row in box.read_newest(2, 10**6)], {})
                    box.replay()

        said, status = run_in_child(work, kill_after=1 + life * 3 % 40)
        assert is_killed(status)
        box = open_outbox(path)
        left = list_numbers(box)
        assert left == sorted(left)
        acknowledged = made + len(said) * GROUP
        assert left[-1] + 1 in range(acknowledged - 2, acknowledged + 1000 * GROUP)
        assert (left[-1] + 1) % GROUP in (0, GROUP - 2), "whole groups, or one whose newest two were settled"
        assert list_losses(box) == []
        made = (left[-1] // GROUP + 1) * GROUP
        box.close()


def test_a_killed_process_leaves_no_lock_and_a_living_one_keeps_it(tmp_path):
    path = tmp_path / "outbox.sqlite"
    box = open_outbox(path)

    def open_second(say):
        try:
            open_outbox(path)
        except OutboxInUseError:
            say(1)

    assert run_in_child(open_second) == ([1], 0)
    box.close()

    def die(say):
        open_outbox(path)
        say(2)
        os.kill(os.getpid(), signal.SIGKILL)

    assert run_in_child(die)[0] == [2]
    open_outbox(path).close()

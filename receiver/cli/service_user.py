"""Whether the running receiver can read what a command wrote: a list that it cannot read lets nobody in.

The receiver's user is the owner of the file that it alone writes, the journal of its roll-ups; before its first start,
the owner of the state directory.
"""

import contextlib
import os
import pwd
import shlex
import stat
from collections.abc import Collection
from pathlib import Path

import typer

from receiver.rollups.job import JOURNAL_FILE


def report_if_unreadable(path: Path, state_dir: Path) -> None:
    """Say on stderr, with the command that mends it, if the receiver cannot read a list."""
    if sentence := find_obstacle(path, state_dir):
        typer.echo(f"envoy-receiver: {sentence}", err=True)


def find_obstacle(path: Path, state_dir: Path) -> str | None:
    """What keeps the receiver from reading a list, as a sentence; None if it can read it."""
    journal = state_dir / JOURNAL_FILE
    try:
        service = (journal if journal.exists() else state_dir).stat()
        user, groups = service.st_uid, _list_groups(service)
        may_enter = _is_open(path.parent, user, groups)
        if user == 0 or (may_enter and _is_open(path, user, groups)):
            return None
        status = path.stat()
    except OSError as error:
        return f"whether the receiver can read {path} is unknown ({error.strerror})"
    name = shlex.quote(_name_user(user))
    file = shlex.quote(str(path))
    enter = "" if may_enter else f"let this user enter {path.parent}, and "
    return (
        f"the receiver's user {name} cannot read {path} (owner {_name_user(status.st_uid)}, mode "
        f"{stat.S_IMODE(status.st_mode):o}), so nobody is let in by it: "
        f"{enter}run: chown {name} {file} && chmod u+r {file}"
    )


def _is_open(path: Path, user: int, groups: Collection[int]) -> bool:
    """Whether the mode lets a user read a file, or enter a directory."""
    status = path.stat()
    shift = 6 if status.st_uid == user else 3 if status.st_gid in groups else 0
    wanted = 0o1 if stat.S_ISDIR(status.st_mode) else 0o4
    return bool(status.st_mode >> shift & wanted)


def _list_groups(service: os.stat_result) -> frozenset[int]:
    groups = {service.st_gid}
    with contextlib.suppress(KeyError, OSError):  # a container's user has no entry
        groups.update(os.getgrouplist(pwd.getpwuid(service.st_uid).pw_name, service.st_gid))
    return frozenset(groups)


def _name_user(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)

"""What other users of a machine may do with files that must be private, and the command that ends it.

The mode decides, that of the directory of a file too, and the owner is trusted. What somebody mounted for this
process is taken as it is where its mode is not ours to change: the root of a volume of another owner (Kubernetes
makes it writable for its group, or for all), and a secret that every user may read on a read-only mount, or at a
mount of another owner (Kubernetes, Docker and Podman make them 0444). Who can see a mount is decided by who made it.
A group may read a secret, because an administrator chose it; nobody but the owner may write one.
"""

import os
import shlex
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def find_exposed_directory(path: Path) -> str | None:
    """A sentence if others may write a directory of state; None if not, or if there is none."""
    status = _look(path)
    if status is None or not status.st_mode & _OTHERS_WRITE:
        return None
    if _is_foreign(status) and path.is_mount():
        return None
    return f"{path} can be written by other users ({_read_mode(status)}); run: chmod go-w {shlex.quote(str(path))}"


def find_exposed_list(path: Path) -> str | None:
    """A sentence if others may write, replace or begin a file of keys or tokens, which may be read; None if not."""
    status = _look(path)
    if status is None or not status.st_mode & _OTHERS_WRITE:
        return _find_open_parent(path)
    return f"{path} can be written by other users ({_read_mode(status)}); run: chmod go-w {shlex.quote(str(path))}"


def find_exposed_secret(path: Path) -> str | None:
    """A sentence if others may write or replace a secret, or everybody may read it; None if not, or if it is none."""
    status = _look(path)
    if status is None or not stat.S_ISREG(status.st_mode):  # a pipe from a password manager has no mode of ours
        return None
    if status.st_mode & _OTHERS_WRITE:
        return f"{path} can be written by other users ({_read_mode(status)}); run: {_close(path, status)}"
    if status.st_mode & stat.S_IROTH and not _is_given(path, status):
        return f"{path} can be read by every user ({_read_mode(status)}); run: {_close(path, status)}"
    return _find_open_parent(path)


def _find_open_parent(path: Path) -> str | None:
    """A sentence if others may put a file of their own in its place: where it is named, or where a link leads."""
    for named in dict.fromkeys((path.absolute(), path.resolve())):
        parent = named.parent
        status = _look(parent)
        if status is None or not status.st_mode & _OTHERS_WRITE:
            continue
        is_sticky = bool(status.st_mode & stat.S_ISVTX) and os.path.lexists(named)  # who is there first stays
        if is_sticky or _is_read_only(parent) or (_is_foreign(status) and parent.is_mount()):
            continue
        mode = _read_mode(status)
        return (
            f"{path} can be replaced by other users ({parent} has {mode}); run: chmod go-w {shlex.quote(str(parent))}"
        )
    return None


def _look(path: Path) -> os.stat_result | None:
    """None for what is not there or cannot be looked at; who opens it then says why."""
    try:
        return path.stat()
    except OSError:
        return None


def _is_given(path: Path, status: os.stat_result) -> bool:
    """Whether somebody mounted it for this process."""
    if _is_read_only(path):
        return True
    real = path.resolve()
    return _is_foreign(status) and (os.path.ismount(real) or real.parent.is_mount())


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _is_foreign(status: os.stat_result) -> bool:
    return status.st_uid != os.geteuid()


def _close(path: Path, status: os.stat_result) -> str:
    """The command after which this process can still read it."""
    name = shlex.quote(str(path))
    ours = os.geteuid() == 0 or not _is_foreign(status) or _is_of_our_group(status)
    return f"chmod g-w,o= {name}" if ours else f"chown {os.geteuid()} {name} && chmod 600 {name}"


def _is_of_our_group(status: os.stat_result) -> bool:
    readable = bool(status.st_mode & stat.S_IRGRP)
    return readable and status.st_gid in (os.getegid(), *os.getgroups())


def _read_mode(status: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(status.st_mode):o}"

"""Whether a path lies on a network file system, where SQLite's write-ahead log and locks cannot be trusted."""

import os
from pathlib import Path

_NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.davfs", "fuse.glusterfs", "fuse.juicefs",
    "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs", "virtiofs",
})  # fmt: skip
_MOUNTINFO = Path("/proc/self/mountinfo")


def find_network_filesystem(path: Path, mountinfo: str | None = None) -> str | None:
    """The type of the network file system that `path` (which need not exist yet) lies on, e.g. "nfs4".

    Args:
        path: File or directory; links are followed.
        mountinfo: The mounts in the format of /proc/self/mountinfo; None reads that file.

    Returns:
        None for a local file system, and where mounts are not known (not Linux).
    """
    if mountinfo is None:
        try:
            mountinfo = _MOUNTINFO.read_text(errors="surrogateescape")
        except OSError:
            return None
    place = Path(os.path.realpath(path))
    best, found = -1, None
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        words = before.split(" ")
        if not separator or len(words) < 5:
            continue
        point = Path(_unescape(words[4]))
        depth = len(point.parts)
        if place.is_relative_to(point) and depth >= best:  # of two mounts on one point the later one is seen
            best, found = depth, after.split(" ", 1)[0]
    return found if found in _NETWORK else None


def _unescape(text: str) -> str:
    """Mount points write blank, tab, newline and backslash as three octal digits."""
    for code in (0o40, 0o11, 0o12, 0o134):
        text = text.replace(f"\\{code:03o}", chr(code))
    return text

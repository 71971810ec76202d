"""A state directory on a network file system is recognised."""

from pathlib import Path

import pytest

from scraper.outbox import find_network_filesystem

MOUNTS = r"""
22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:21 / /mnt rw - nfs4 nas:/volume rw
24 22 0:22 / /mnt/local rw shared:2 master:1 - btrfs /dev/sdb rw
25 22 0:23 / /mnt/with\040blank rw - cifs //nas/share rw
26 22 0:24 / /over rw - ext4 /dev/sdc rw
27 22 0:25 / /over rw - fuse.sshfs user@host: rw
a line that is none
"""


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("/var/lib/envoy", None),
        ("/mnt/state/outbox.sqlite", "nfs4"),
        ("/mnt/local/state", None),
        ("/mnt/localish", "nfs4"),
        ("/mnt/with blank/state", "cifs"),
        ("/over/state", "fuse.sshfs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(tmp_path, place, expected):
    assert find_network_filesystem(Path(place), MOUNTS) == expected


def test_links_are_followed(tmp_path):
    link = tmp_path / "state"
    link.symlink_to("/mnt/elsewhere")
    assert find_network_filesystem(link, MOUNTS) == "nfs4"


def test_this_machine_has_an_answer(tmp_path):
    assert find_network_filesystem(tmp_path) is None

"""Backup and restore of the receiver, to and from one file.

- `archive`: the file, a .tar.gz that only its owner may read
- `state`: keys, tokens and the sites file
- `database`: the readings, by each store's own means
- `work`: the two commands
"""

from receiver.backup.work import back_up, restore

__all__ = ["back_up", "restore"]

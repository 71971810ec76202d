"""What a receiver must keep beside the readings: who may send, who may read, and what the owner said of the sites."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from receiver.auth import links, readers
from receiver.auth.witness import name_witness
from receiver.rollups.job import JOURNAL_FILE
from receiver.settings import ReceiverSettings
from shared.files import write_private

_SITES = "sites.yaml"
_READERS_WITNESS = f"{readers.LIST_FILE}.witness"


def list_kept_files(settings: ReceiverSettings) -> Mapping[str, Path]:
    """Name in the backup to the file on this machine."""
    return {
        "keys": settings.keys_file,
        readers.LIST_FILE: settings.state_dir / readers.LIST_FILE,
        links.LIST_FILE: settings.state_dir / links.LIST_FILE,
        readers.KEY_FILE: settings.state_dir / readers.KEY_FILE,
        # Without it a restored receiver would take a list that was lost before the backup for one that never was.
        _READERS_WITNESS: name_witness(settings.state_dir / readers.LIST_FILE),
        # Before its first start `make run` has named none; it takes the one of the state directory.
        _SITES: settings.sites_file or settings.state_dir / _SITES,
    }


def save(settings: ReceiverSettings, folder: Path) -> Iterator[str]:
    """Copy what is there. Raises OSError."""
    folder.mkdir()
    for name, path in list_kept_files(settings).items():
        if path.exists():
            shutil.copyfile(path, folder / name)
            yield f"saved {path}"


def restore(settings: ReceiverSettings, folder: Path) -> Iterator[str]:
    """Put the files where the settings want them; one that is there and differs is kept beside. Raises OSError."""
    known = list_kept_files(settings)
    for copy in sorted(folder.iterdir()):
        data = copy.read_bytes()
        aside = settings.state_dir / f"restored-{copy.name}"
        path = target = known.get(copy.name, aside)
        if path.exists() and path.read_bytes() == data:
            yield f"kept {path}: it is the same"
            continue
        try:
            _keep(path)
            write_private(path, data)
        except OSError:  # a sites file is often mounted for reading only
            path = aside
            write_private(path, data)
        yield f"restored {path}" + _say_what_remains(settings, copy.name, path, target)
    # Which quarter hours are still to be rolled up was true of other readings; without it, all of them are.
    _keep(settings.state_dir / JOURNAL_FILE)


def _say_what_remains(settings: ReceiverSettings, name: str, path: Path, target: Path) -> str:
    if path != target:
        return f": {target} cannot be written, copy it there"
    if name == _SITES and settings.sites_file is None:
        return f": `make run` takes it from there; a receiver without `make run` wants RECEIVER_SITES_FILE={path}"
    return ""


def _keep(path: Path) -> None:
    if path.exists():
        path.replace(path.with_name(f"{path.name}.before-restore"))

"""What `make run` chose for the two halves on one machine, so that every other command finds the same installation.

The choice of each half lies in its state directory. It counts only where neither the environment nor `.env` says
anything, and services that have a state directory of their own never see it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from shared.environment import SCRAPER_STATE_DIR, UnreadableSettingError, find_home
from shared.files import UnsafeFileError, read_private, write_private

LOCAL_FILE = "local.json"
RECEIVER_STATE_DIR = "~/.local/state/envoy-receiver"
_STATE_DIRECTORIES = {"ENVOY_STATE_DIR": SCRAPER_STATE_DIR, "RECEIVER_STATE_DIR": RECEIVER_STATE_DIR}
_SIGNING = ("ENVOY_RECEIVER_SECRET", "ENVOY_RECEIVER_SECRET_FILE", "ENVOY_RECEIVER_KEY_FILE")
_HOUSEHOLD = ("RECEIVER_SECRET", "RECEIVER_SECRET_FILE")


def find_state_directory(environment: Mapping[str, str], setting: str) -> Path:
    """The state directory of the half whose setting is `ENVOY_STATE_DIR` or `RECEIVER_STATE_DIR`.

    Raises:
        UnreadableSettingError: It begins with ~, and there is no such home directory.
    """
    return find_home(setting, Path(environment.get(setting) or _STATE_DIRECTORIES[setting]))


def add_local_settings(environment: Mapping[str, str], setting: str) -> dict[str, str]:
    """The environment with what `make run` chose where nothing is set.

    Args:
        environment: As `read_environment` gives it.
        setting: `ENVOY_STATE_DIR` or `RECEIVER_STATE_DIR`, which says whose choice it is.

    Raises:
        UnreadableSettingError: The file cannot be read, or others may read it.
    """
    chosen = _read(find_state_directory(environment, setting) / LOCAL_FILE)
    given = {name: value for name, value in environment.items() if value}
    url = given.get("ENVOY_RECEIVER_URL", "").rstrip("/")
    if setting == "ENVOY_STATE_DIR" and url and url != chosen.get("ENVOY_RECEIVER_URL"):
        return {**environment}  # the readings go elsewhere, and so nothing of the choice fits
    for names in (_SIGNING, _HOUSEHOLD):
        if any(name in given for name in names):
            chosen = {name: value for name, value in chosen.items() if name not in names}
    return {**environment, **chosen, **given}


def write_local_settings(directory: Path, chosen: Mapping[str, str]) -> None:
    """Keep the choice in a state directory. Raises OSError."""
    write_private(directory / LOCAL_FILE, json.dumps(dict(sorted(chosen.items())), indent=2).encode())


def _read(path: Path) -> dict[str, str]:
    try:
        document = json.loads(read_private(path))
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # who needs the directory says what is wrong
        return {}
    except UnsafeFileError as error:
        raise UnreadableSettingError(str(error)) from error
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is damaged"
        raise UnreadableSettingError(f"{path} cannot be read ({reason}): `make run` writes it again") from error
    return {str(name): str(value) for name, value in document.items()} if isinstance(document, dict) else {}

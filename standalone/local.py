"""Leaves what an installation chose where every other command looks."""

from collections.abc import Mapping
from pathlib import Path

from shared.local_settings import write_local_settings
from standalone.errors import StandaloneError

_PLACES = {"RECEIVER_": "RECEIVER_STATE_DIR", "ENVOY_": "ENVOY_STATE_DIR"}


def remember_choice(environment: Mapping[str, str]) -> None:
    """Keep the settings of each half in its state directory. Raises StandaloneError."""
    for prefix, place in _PLACES.items():
        chosen = {
            name: value
            for name, value in environment.items()
            if name.startswith(prefix) and name not in _PLACES.values()
        }
        try:
            write_local_settings(Path(environment[place]), chosen)
        except OSError as error:
            raise StandaloneError(
                f"{environment[place]} cannot be written ({error.strerror}): set {place} to a directory that can"
            ) from error

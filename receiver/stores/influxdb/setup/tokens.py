"""The two tokens that `setup` makes, and the files that hold them.

InfluxDB chooses a token's value and hands it out once, so the files are the only place where services find it. A file
is right if its token is known, active, and may do exactly what it should: no less, and no more.
"""

import contextlib
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from receiver.settings.stores import GRAFANA_TOKEN, RECEIVER_TOKEN
from receiver.stores.influxdb.setup.management import Bucket, Grant, InfluxManagement, Right, SetupError
from shared.files import PRIVATE_DIRECTORY, PRIVATE_FILE, make_private_directory, write_private

_ACTIONS = {RECEIVER_TOKEN: ("write", "read"), GRAFANA_TOKEN: ("read",)}
_SETTINGS = {RECEIVER_TOKEN: "RECEIVER_TOKENS_DIR", GRAFANA_TOKEN: "GRAFANA_TOKENS_DIR"}


def ensure_tokens(
    server: InfluxManagement, org_id: str, buckets: Sequence[Bucket], folders: Mapping[str, Path], *, main_bucket: str
) -> Iterator[str]:
    """Make both files right; a sentence for each. Raises SetupError.

    Args:
        server: Entered with a token that may make tokens.
        org_id: Owner of the buckets.
        buckets: What the tokens are for; one or two.
        folders: Where each file lies, by its name (`RECEIVER_TOKEN`, `GRAFANA_TOKEN`).
        main_bucket: Tells apart the tokens of several receivers in one organisation.
    """
    for name, folder in folders.items():
        _make_folder(folder, _SETTINGS[name])
    for name, actions in _ACTIONS.items():
        rights = [(action, bucket.id) for action in actions for bucket in buckets]
        yield _ensure_token(server, org_id, f"envoy-relay {name} (bucket {main_bucket})", rights, folders[name] / name)


def _make_folder(folder: Path, setting: str) -> None:
    try:
        make_private_directory(folder)
        with contextlib.suppress(PermissionError):  # a mounted volume may be another user's; its files are ours alone
            folder.chmod(PRIVATE_DIRECTORY)
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be used for the tokens ({error.strerror}): set {setting} to a directory of the user that "
            "runs this"
        ) from error


def _ensure_token(server: InfluxManagement, org_id: str, description: str, rights: Sequence[Right], path: Path) -> str:
    ours = [known for known in server.list_grants(org_id) if known.description == description]
    held = _read_token(path)
    may = " and ".join(dict.fromkeys(action for action, _ in rights))
    kept = next((known for known in ours if held is not None and _is_right(known, held, rights)), None)
    if kept is None:
        made = server.make_grant(org_id, description, rights)
        if made.token is None:
            raise SetupError("InfluxDB made a token and did not show its value: this version is not supported")
        _write_token(path, made.token)
    # Only now, so that a failure on the way leaves the old token good and a second run puts things right.
    for known in ours:
        if known is not kept:
            server.withdraw(known)
    if kept is not None:
        return f"token: {path} is good (may {may})"
    return f"token: {path} is {'new' if held is None and not ours else 'replaced; restart who reads it'} (may {may})"


def _is_right(known: Grant, held: str, rights: Sequence[Right]) -> bool:
    return known.is_active and known.token == held and known.rights == frozenset(rights)


def _read_token(path: Path) -> str | None:
    """The token in a file, which is made private if it was not; None without one. Raises SetupError."""
    try:
        if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FILE:
            path.chmod(PRIVATE_FILE)
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return None  # nobody's token: it is replaced
    except OSError as error:
        raise SetupError(f"{path} cannot be read ({error.strerror}): run this as the user that owns it") from error


def _write_token(path: Path, token: str) -> None:
    try:
        write_private(path, token.encode())
    except OSError as error:
        raise SetupError(f"{path} cannot be written ({error.strerror}): free some space or change its owner") from error

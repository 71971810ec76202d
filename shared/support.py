"""The archive of a report for people who help: texts without secrets, in one private file.

Promises: the file is new, 0600 and whole or not there; all texts pass the same `Pseudonyms`; a value of a setting is
shown only where its form says that it is no secret.
"""

import importlib.metadata
import io
import os
import platform
import re
import socket
import sqlite3
import ssl
import tarfile
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from shared.files import PRIVATE_FILE, read_regular
from shared.pseudonyms import Pseudonyms
from shared.version import VERSION

LOG_LINES = 1000
"""The last so many lines of a log are taken."""
_MOST_LOG = 64 * 1024 * 1024
_LIBRARIES = ("httpx", "msgspec", "structlog", "pydantic", "typer", "cryptography", "zeroconf", "starlette", "uvicorn")
_PLAIN_VALUE = re.compile(
    r"-?\d{1,9}(?:\.\d{1,6})?|\d\d:\d\d(?:-\d\d:\d\d)?|true|false|yes|no|on|off|auto|stream|poll|pin|any|discover|"
    r"influxdb[123]?|victoriametrics|questdb|telegraf|receiver|grafana|gateway|cloud|"
    r"P[\dDTHMS.]{1,20}|DEBUG|INFO|WARNING|ERROR"
)
_PATH = re.compile(r"(?:sqlite:///)?[~/.][\w./~ -]*")
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|USERNAME|KEY|^(?:NTFY|SMTP|TELEGRAM|WEBHOOK)_")
"""What is no secret by its declaration may be one: whoever knows a topic of ntfy reads it."""
_SHORTEST_PART = 6
"""Characters of a part of an address below which it is a word like `api`."""
_OPEN_WORDS = frozenset(
    [
        "localhost",
        "envoy.local",
        "receiver",
        "influxdb",
        "envoy",
        "envoy-relay",
        "homeassistant",
        "home",
        "solar",
        "energy",
        "admin",
        "default",
    ]
)
"""Words that stand in settings and in our own sentences, and name nobody."""
_ABOUT = """A report for people who help with envoy-relay, made by `{command}`.

Secrets are taken out; serials, names, host names, e-mail addresses, addresses of the Internet, network cards and
time zones are replaced by names that are the same in every file. Look through it before you give it away: what this
program does not know as a name is left as it is.
"""
_NO_LOG = """No log was given. The services write their log to standard error only. Save it and name the file, e.g.:

    journalctl --user -u {command} --since -1d > log.txt      # without --user for a service of the machine
    docker compose logs SERVICE > log.txt
    {command} support --log log.txt
"""


def describe_versions() -> str:
    """What runs here, a line each."""
    lines = [
        f"envoy-relay {VERSION}",
        f"python {platform.python_version()} ({platform.python_implementation()})",
        f"system {platform.system()} {platform.release()} {platform.machine()}",
        f"sqlite {sqlite3.sqlite_version}",
        ssl.OPENSSL_VERSION,
    ]
    for name in _LIBRARIES:
        try:
            lines.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{name} is not installed")
    return "\n".join(lines) + "\n"


def describe_settings(environment: Mapping[str, str], known: Collection[str], pseudonyms: Pseudonyms) -> str:
    """Every setting that is set, a line each; their secrets and hosts are hidden in all texts from now on.

    Args:
        environment: As the settings are read from it.
        known: The names of all settings; a secret NAME has a NAME_FILE beside it.
        pseudonyms: Learns what stands in them.
    """
    lines = []
    for name in known:
        value = environment.get(name, "")
        if not value:
            continue
        is_secret = f"{name}_FILE" in known or (_SECRET_NAME.search(name) and not name.endswith("_FILE"))
        if is_secret:
            _hide_private(pseudonyms, value)
            lines.append(f"{name} is set (a secret)")
            continue
        if name.endswith("_FILE") and (name.removesuffix("_FILE") in known or _SECRET_NAME.search(name)):
            hide_secret_files(pseudonyms, [Path(value).expanduser()])
        pseudonyms.learn(f"{name}={value}")
        lines.append(f"{name}={_describe_value(value, pseudonyms)}")
    return "\n".join(lines) + "\n" if lines else "Nothing is set.\n"


def _hide_private(pseudonyms: Pseudonyms, value: str) -> None:
    """Hide a secret whole; of an address, its parts too, for they stand alone elsewhere."""
    pseudonyms.hide_secret(value)
    parts = _split_address(value)
    if parts is not None:
        hide_host(pseudonyms, parts.hostname or "")
        words = (parts.username, parts.password, parts.query, *parts.path.split("/"))
        for word in words:
            pseudonyms.hide_secret(word if word and len(word) >= _SHORTEST_PART else "")


def _split_address(value: str) -> SplitResult | None:
    """The parts of an address; None of what is none."""
    try:
        parts = urlsplit(value)
        fits = "://" in value and parts.port != 0  # a port that is none raises
    except ValueError:
        return None
    return parts if fits else None


def _describe_value(value: str, pseudonyms: Pseudonyms) -> str:
    if _PLAIN_VALUE.fullmatch(value) or _PATH.fullmatch(value):
        return value
    if (parts := _split_address(value)) is not None:
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
        hide_host(pseudonyms, host)
        return f"{parts.scheme}://{host}{port}" + ("/..." if parts.path.strip("/") or parts.query else "")
    words = [word.strip() for word in value.split(",")]
    for word in words:
        hide_host(pseudonyms, word)
    return value if len(words) == 1 and " " not in value and "@" not in value else f"{len(words)} word(s)"


def hide_host(pseudonyms: Pseudonyms, host: str) -> None:
    """Replace the name of a machine from now on; addresses are told by their look."""
    if host and host.lower() not in _OPEN_WORDS and not re.fullmatch(r"[\d.]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", host):
        pseudonyms.hide("host", host)


def hide_secret_files(pseudonyms: Pseudonyms, paths: Collection[Path]) -> None:
    """Take away whatever stands in these files; those that cannot be read say nothing."""
    for path in paths:
        try:
            pseudonyms.hide_secret(read_regular(path, 1024 * 1024).decode(errors="replace"))
        except OSError:
            continue


def read_log(path: Path | None, command: str) -> str:
    """The last lines of a log, or how to get one. Raises OSError."""
    if path is None:
        return _NO_LOG.format(command=command)
    return "\n".join(read_regular(path, _MOST_LOG).decode(errors="replace").splitlines()[-LOG_LINES:]) + "\n"


def describe_files(folder: Path) -> str:
    """Name, mode and size (bytes) of every file below a folder, without what is in it."""
    lines = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        status = path.lstat()
        size = status.st_size if path.is_file() else "-"
        lines.append(f"{status.st_mode & 0o777:o} {size} {path.relative_to(folder)}")
    return "\n".join(lines) + "\n" if lines else "There is nothing yet.\n"


def write_archive(path: Path, command: str, texts: Mapping[str, str], pseudonyms: Pseudonyms, *, now_s: float) -> None:
    """Write all texts, replaced, into a new file. Raises OSError (FileExistsError if it is there).

    Args:
        path: The archive, .tar.gz.
        command: Who made it.
        texts: By their names in the archive.
        pseudonyms: What was hidden so far; all texts are learnt before the first one is written.
        now_s: The time of the files in it (seconds since 1970).
    """
    pseudonyms.hide("this-machine", socket.gethostname())
    for text in texts.values():
        pseudonyms.learn(text)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in {"README.txt": _ABOUT.format(command=f"{command} support"), **texts}.items():
            data = pseudonyms.replace(text).encode()
            entry = tarfile.TarInfo(f"{command}-support/{name}")
            entry.size, entry.mode, entry.mtime = len(data), PRIVATE_FILE, int(now_s)
            archive.addfile(entry, io.BytesIO(data))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.getvalue())
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise

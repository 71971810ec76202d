"""The environment and `.env` as both halves read them: values, secret files, misspelt names.

Nobody outside the settings of the two halves reads the environment. Messages name the setting, never its value. What is
rarely needed is imported where it is used: the running scraper keeps every module that it has imported.
"""

import contextlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path

from shared.exposure import find_exposed_secret

_FILE = ".env"
ENV_FILE_OPTION = "--env-file"
"""Of every command of the scraper, before its name: the settings of another gateway's scraper, e.g. `.env.garage`."""
SCRAPER_STATE_DIR = "~/.local/state/envoy-relay"
_chosen: ContextVar[str] = ContextVar("the file that is read as .env", default=_FILE)
_PLACE = re.compile(r"(?:\.env\.)?([0-9A-Za-z_-]{1,64})(?:\.env)?")
_SERVICE_LINK = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
_SIMILAR = 0.6
"""Similarity (0 to 1) of names, without their prefix, from which one is worth proposing."""
_LONG = 12
"""Letters of a name from which two slips of the keyboard are too few to make it another program's name."""
_OF_OTHERS = frozenset({"INFLUXDB_USER", "INFLUXDB_PASSWORD"})
"""Settings of InfluxDB 1's own container, which look like ours with a part left out."""


class UnreadableSettingError(Exception):
    """`.env` or the file of a secret cannot be read; the message names the setting and the reason."""


def read_environment() -> dict[str, str]:
    """Every variable of the environment and of `.env` by its name in capitals, without white space around the value.

    The environment wins over `.env`, but an empty value counts as not set, so that `.env` then decides. A variable that
    is empty in both is "". Another file than `.env` is that of one more scraper on this machine, and gives it a state
    directory of its own. Raises UnreadableSettingError.
    """
    name = _chosen.get()
    file: Mapping[str, str | None] = {}
    try:
        if Path(name).exists():
            from dotenv import dotenv_values  # noqa: PLC0415 (see above)

            file = dotenv_values(name)
        elif name != _FILE:
            raise UnreadableSettingError(f"{name} is not there: name the file with the settings of the other gateway")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSettingError(f"{name} cannot be read ({_explain_error(error)})") from error
    found: dict[str, str] = {}
    for name, value in (*file.items(), *os.environ.items()):
        text = (value or "").strip()
        found[name.upper()] = text or found.get(name.upper(), "")
    if _chosen.get() != _FILE and not found.get("ENVOY_STATE_DIR"):
        found["ENVOY_STATE_DIR"] = f"{SCRAPER_STATE_DIR}-{name_other_scraper(_chosen.get())}"
    return found


@contextlib.contextmanager
def use_env_file(file: str) -> Iterator[None]:
    """Read this file in the place of `.env`."""
    before = _chosen.set(file)
    try:
        yield
    finally:
        _chosen.reset(before)


def take_env_file(arguments: list[str]) -> list[str]:
    """The arguments of a command without a leading `--env-file FILE`, which is read as `.env` from then on."""
    option, equals, value = arguments[0].partition("=") if arguments else ("", "", "")
    if option != ENV_FILE_OPTION or (not equals and len(arguments) < 2):
        return arguments
    _chosen.set(value if equals else arguments[1])
    return arguments[1 if equals else 2 :]


def get_env_file() -> str:
    """The file that is read as `.env`."""
    return _chosen.get()


def name_other_scraper(file: str) -> str:
    """What the scraper of another file is called: `garage` for `.env.garage`. Raises UnreadableSettingError."""
    match = _PLACE.fullmatch(Path(file).name)
    if match is None or match[1] == "env":
        raise UnreadableSettingError(f"{file} must have a name such as .env.garage, which says whose settings it has")
    return match[1]


def find_home(setting: str, path: Path) -> Path:
    """`path` with a home directory for ~ and ~NAME. Raises UnreadableSettingError where there is no such home."""
    try:
        return path.expanduser()
    except RuntimeError as error:  # of a user who does not exist, or of a process without one
        raise UnreadableSettingError(explain_missing_home(setting)) from error


def explain_missing_home(setting: str) -> str:
    """What to do where ~ or ~NAME begins a path, and there is no such home directory."""
    return f"{setting} begins with ~ or is not set, and there is no such home directory here: set it to a whole path"


def read_secret_file(setting: str, path: Path) -> str:
    """The text of a secret's file, without white space around it; "" if there is none.

    Args:
        setting: Name of the setting that names the file, for the message.
        path: The file; ~ is the home directory.

    Raises:
        UnreadableSettingError: The file cannot be read, or others may write or read it.
    """
    path = find_home(setting, path)
    if exposed := find_exposed_secret(path):
        raise UnreadableSettingError(f"{setting}: {exposed}")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSettingError(f"{setting}: {path} cannot be read ({_explain_error(error)})") from error


def find_unknown_settings(
    environment: Mapping[str, str], known: Collection[str], prefix: str, half: str
) -> Iterator[str]:
    """A sentence for each name that is no setting, because a misspelt one would silently do nothing.

    Every unknown name with the prefix of the half is refused. Other names may be another program's, and so they are
    refused only where they look like a known one: see `_find_misspelt`.
    """
    for name in sorted(set(environment) - set(known)):
        if _is_service_link(name, environment[name]):
            continue
        if name.startswith(prefix):
            endings = [one.removeprefix(prefix) for one in known if one.startswith(prefix)]
            near = _find_similar(name.removeprefix(prefix), endings)
            remedy = f"did you mean {prefix}{near[0]}?" if near else "remove it; .env.example lists the settings"
            yield f"{name} is no setting of the {half}: {remedy}"
        elif meant := _find_misspelt(name, known):
            yield f"{name} is no setting of the {half}: did you mean {meant}?"


def is_service_address(text: str) -> bool:
    """Whether Kubernetes wrote this value into a variable NAME_PORT for a service called NAME."""
    return _SERVICE_ADDRESS.match(text) is not None


def explain_service_address(setting: str) -> str:
    """What to do where a setting holds such an address."""
    return f"{setting} was set by Kubernetes for a service of this name: set enableServiceLinks: false in the pod"


def _find_similar(name: str, known: Collection[str]) -> list[str]:
    """The most similar name, if there is one."""
    from difflib import get_close_matches  # noqa: PLC0415 (see above)

    return get_close_matches(name, known, 1, _SIMILAR)


def _find_misspelt(name: str, known: Collection[str]) -> str | None:
    """The known name that is meant: it differs by a slip or two of the keyboard, or has one part more in the middle."""
    if name in _OF_OTHERS:
        return None
    for slips in (1, 2) if len(name) >= _LONG else (1,):
        for one in known:
            if _is_within(slips, name, one):
                return one
    for one in known:
        if all(_is_within(1, part, other) for part, other in zip(_split(name), _split(one), strict=True)):
            return one
    return next((one for one in known if _is_short_of_part(name.split("_"), one.split("_"))), None)


def _split(name: str) -> tuple[str, str]:
    """Whose setting it is, and which: ENVOY and TOKEN."""
    first, _, rest = name.partition("_")
    return first, rest


def _is_within(slips: int, one: str, other: str) -> bool:
    """Whether so many slips make one name of the other: a letter more, less or wrong, or two that changed places."""
    if one == other:
        return True
    if one[:1] == other[:1]:
        return _is_within(slips, one[1:], other[1:])
    if slips == 0 or abs(len(one) - len(other)) > slips:
        return False
    changed_places = one[:2] == other[1::-1]
    return (
        _is_within(slips - 1, one[1:], other)
        or _is_within(slips - 1, one, other[1:])
        or _is_within(slips - 1, one[1:], other[1:])
        or (changed_places and _is_within(slips - 1, one[2:], other[2:]))
    )


def _is_short_of_part(parts: list[str], known: list[str]) -> bool:
    """Whether the parts are the known ones without one that is neither the first nor the last: INFLUXDB_(V2_)TOKEN."""
    return any(parts == [*known[:index], *known[index + 1 :]] for index in range(1, len(known) - 1))


def _is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes made this variable: it describes every service to every pod by the service's name."""
    return _SERVICE_LINK.fullmatch(name) is not None or (name.endswith("_PORT") and is_service_address(value))


def _explain_error(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "unknown reason" if isinstance(error, OSError) else "it is not text"

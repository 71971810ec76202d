"""`service`: keeps what `make run` started running after a reboot, as two units of the user's own systemd.

The units name this folder (for `.env`) and its programs; everything else the two halves find in the state directories
that `make run` left.
"""

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from receiver.cli.check import find_running
from shared.environment import (
    ENV_FILE_OPTION,
    SCRAPER_STATE_DIR,
    UnreadableSettingError,
    name_other_scraper,
    read_environment,
    use_env_file,
)
from shared.local_settings import LOCAL_FILE, add_local_settings, find_state_directory
from standalone.errors import StandaloneError

_HALVES = {"receiver": "envoy-receiver", "scraper": "envoy-scraper"}
_PLACES = {"receiver": "RECEIVER_STATE_DIR", "scraper": "ENVOY_STATE_DIR"}
_TARGET = "default.target.wants"
_REMEDY = (
    "log in as this user itself (by ssh or at the console, not by su or sudo), where systemd of the user runs, and "
    "type the command again; without systemd, see docs/home.md"
)
_UNIT = """\
# Written by `make service`; `make service REMOVE=1` takes it away.
[Unit]
Description=envoy-relay {half}
After=network-online.target

[Service]
ExecStart={command} run
WorkingDirectory={folder}
UMask=0077
Restart=always
RestartSec=5
TimeoutStopSec=30
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def install_units(folder: Path, programs: Path, environment: Mapping[str, str], also: Sequence[Path] = ()) -> list[str]:
    """Write, start and enable the units; what was done, in sentences. Raises StandaloneError.

    Args:
        folder: Where `.env` lies.
        programs: Where the commands of both halves lie.
        environment: Settings, and HOME and XDG_CONFIG_HOME.
        also: The settings of further gateways, as `run` had them.
    """
    others = {f"envoy-scraper-{_find_other(file)}": file.absolute() for file in also}
    for half, place in _PLACES.items():
        if not (find_state_directory(environment, place) / LOCAL_FILE).exists():
            raise StandaloneError(f"there is no {half} to keep running yet: let `make run` show values first")
    port = int(add_local_settings(environment, "RECEIVER_STATE_DIR")["RECEIVER_PORT"])
    if find_running("127.0.0.1", port):
        raise StandaloneError(f"a receiver runs at port {port} already: stop `make run` (Ctrl-C) first")
    directory = _find_directory(environment)
    directory.mkdir(parents=True, exist_ok=True)
    commands = {name: (half, _quote(programs / name)) for half, name in _HALVES.items()}
    for name, file in others.items():
        command = f"{_quote(programs / _HALVES['scraper'])} {ENV_FILE_OPTION} {_quote(file)}"
        commands[name] = (name.removeprefix("envoy-"), command)
    former = _read_units(directory, commands)
    for name, (half, command) in commands.items():
        text = _UNIT.format(half=half, command=command, folder=str(folder).replace("%", "%%"))
        (directory / f"{name}.service").write_text(text, encoding="utf-8")
    try:
        _call("systemctl", "--user", "daemon-reload")
        _call("systemctl", "--user", "enable", "--now", *commands)
    except StandaloneError as error:
        _remove_units(directory, [name for name in commands if name not in former])
        for name, text in former.items():
            (directory / f"{name}.service").write_text(text, encoding="utf-8")
        raise StandaloneError(f"{error}\nno service was installed: {_REMEDY}") from error
    said = [f"receiver and scraper run now, and after each login: {directory}/envoy-*.service"]
    try:
        _call("loginctl", "enable-linger")
    except StandaloneError:
        said.append("to run without a login too, type: sudo loginctl enable-linger $USER")
    return [*said, f"what they say: journalctl --user {' '.join(f'-u {name}' for name in commands)}"]


def remove_units(environment: Mapping[str, str]) -> list[str]:
    """Stop the units and take them away; the data stays. Raises StandaloneError."""
    directory = _find_directory(environment)
    others = sorted(path.stem for path in directory.glob("envoy-scraper-*.service"))
    present = [name for name in (*_HALVES.values(), *others) if (directory / f"{name}.service").exists()]
    if not present:
        return ["there is no service of envoy-relay"]
    try:
        _call("systemctl", "--user", "disable", "--now", *present)
    except StandaloneError as error:
        raise StandaloneError(
            f"{error}\nthe unit files are gone and start nothing any more; a service that still runs ends by "
            f"`systemctl --user stop {' '.join(present)}`, or at the next reboot: {_REMEDY}"
        ) from error
    finally:
        _remove_units(directory, present)
    _call("systemctl", "--user", "daemon-reload")
    places = " and ".join(
        [str(find_state_directory(environment, place)) for place in _PLACES.values()]
        + [f"{SCRAPER_STATE_DIR}-{name.removeprefix('envoy-scraper-')}" for name in present if name in others]
    )
    return [f"the services are gone; the data stays in {places}"]


def _read_units(directory: Path, names: Iterable[str]) -> dict[str, str]:
    """The units that are there already: name to text."""
    paths = {name: directory / f"{name}.service" for name in names}
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.exists()}


def _remove_units(directory: Path, names: Iterable[str]) -> None:
    """Take units away, and the links by which systemd starts them, which it leaves where it cannot be reached."""
    for name in names:
        for path in (directory / f"{name}.service", directory / _TARGET / f"{name}.service"):
            path.unlink(missing_ok=True)


def _find_other(file: Path) -> str:
    """What the scraper of a further gateway is called, if `make run` has started it once. Raises StandaloneError."""
    try:
        with use_env_file(str(file.absolute())):
            state = find_state_directory(read_environment(), _PLACES["scraper"])
        name = name_other_scraper(file.name)
    except UnreadableSettingError as error:
        raise StandaloneError(str(error)) from error
    if not (state / LOCAL_FILE).exists():
        raise StandaloneError(f"there is no scraper of {file} yet: let `make run ALSO={file}` show values first")
    return name


def _find_directory(environment: Mapping[str, str]) -> Path:
    config = environment.get("XDG_CONFIG_HOME") or f"{environment['HOME']}/.config"
    return Path(config) / "systemd" / "user"


def _quote(path: Path) -> str:
    """A path as a unit has it: words end at spaces, and % begins a specifier."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _call(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise StandaloneError(f"{program} is not there: this machine has no systemd; see docs/home.md")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StandaloneError(f"{program} {' '.join(arguments)} failed: {done.stderr.strip()}")

"""`run`: the receiver and the scraper for a real gateway, with settings from the environment and `.env`.

The command fills in what the two must agree on: an address, a secret, and the gateway's serial, which is asked
from the gateway itself if no setting says it.
"""

import asyncio
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from receiver import settings as receiver_settings
from receiver.errors import ReceiverSettingError
from scraper import settings as scraper_settings
from scraper.cloud.grant import GrantFile
from scraper.errors import GatewayError, ScraperError
from scraper.gateway.discovery import find_hosts
from scraper.gateway.info import GatewayInfo
from scraper.gateway.probe import probe
from scraper.gateway.tokens import TokenCache
from scraper.gateway.transport import Address
from scraper.service.cloud_parts import read_keys
from scraper.service.cloud_source import name_system
from scraper.settings import ScraperSettings
from shared.clock import Clock
from shared.environment import ENV_FILE_OPTION, UnreadableSettingError, read_environment
from shared.files import UnsafeFileError, make_private_directory, read_private, write_private
from shared.local_settings import find_state_directory
from standalone.demo import format_token_command
from standalone.directories import find_free_port
from standalone.errors import StandaloneError
from standalone.local import remember_choice
from standalone.network import find_lan_address
from standalone.others import OtherScraper, check_serials, plan_others
from standalone.processes import ProcessGroup
from standalone.stack import LocalInstallation, start_other_scraper, start_receiver, start_scraper, watch

_SECRETS = ("RECEIVER_SECRET", "ENVOY_RECEIVER_SECRET")
_SITES = """\
# What you know of your system and the gateway does not: names, places of panels, meters that are set up wrongly,
# prices. docs/sites.md says what may stand here, and `envoy-receiver sites` prints an example with your gateway. The
# page writes the places of panels into this file and leaves all else as it is.
"""
_PORTS = {"RECEIVER_PORT": "8000", "RECEIVER_STATUS_PORT": "8002", "ENVOY_STATUS_PORT": "8001"}


async def run(
    state: Path | None, clock: Clock, groups: list[ProcessGroup], *, lan: bool = False, also: Sequence[Path] = ()
) -> None:
    """Run until cancelled.

    Args:
        state: Directory for what the settings do not place elsewhere; None: the default directories of both halves.
        clock: Time.
        groups: The group of processes is appended as soon as it exists, so that the caller can kill it.
        lan: Whether the page is there for the whole network of this machine.
        also: The settings of further gateways: files like `.env`.

    Raises:
        StandaloneError: A setting is missing or wrong, the gateway cannot be found, or a part ended; says what to do.
    """
    given = _read_given()
    if state is None:
        _refuse_former_state(given)
    others = plan_others(also, state)
    environment = fill_in(given, state)
    if lan:
        environment |= _open_to_network(environment["RECEIVER_PORT"], given)
    os.environ.update(environment)  # the settings modules read nothing else
    wanted = _load_scraper_settings()
    serials = {".env": await _find_serial(wanted, clock)}
    for other in others:
        serials[str(other.file)] = await _find_serial(other.wanted, clock, other.file.name)
    check_serials(serials, given.get("RECEIVER_GATEWAYS"))
    environment |= {"RECEIVER_GATEWAYS": given.get("RECEIVER_GATEWAYS") or ",".join(serials.values())}
    os.environ.update(environment)
    remember_choice(environment)  # before anything reads what an earlier start chose, e.g. an address of LAN=1
    installation = _plan_installation(serials, others, environment, given)
    of_others = [(other, other.remember(environment)) for other in others]
    logs = Path(environment["RECEIVER_STATE_DIR"]) / "logs"
    make_private_directory(logs)
    group = ProcessGroup(logs, Path.cwd(), os.environ)
    groups.append(group)
    try:
        token = await start_receiver(group, installation, clock)
        await start_scraper(group, installation)
        for other, of_other in of_others:
            await start_other_scraper(group, other, of_other)
        await watch(group, installation, token, clock)
    finally:
        await group.stop()


def _read_given() -> dict[str, str]:
    """The settings that are set. Raises StandaloneError if `.env` cannot be read."""
    try:
        return {name: value for name, value in read_environment().items() if value}
    except UnreadableSettingError as error:
        raise StandaloneError(str(error)) from error


def _refuse_former_state(given: Mapping[str, str]) -> None:
    """Say how to move what earlier versions kept in ./state, rather than begin again without it."""
    former = [("receiver", "RECEIVER_STATE_DIR"), ("scraper", "ENVOY_STATE_DIR")]
    moves = [
        f"mkdir -p {target.parent} && mv {Path('state') / name} {target}"
        for name, setting in former
        if (Path("state") / name).is_dir()
        and not given.get(setting)
        and not (target := find_state_directory(given, setting)).exists()
    ]
    if moves:
        raise StandaloneError(
            "an earlier version kept its data in ./state, where no other command finds it: move it, then run this "
            "again:\n    " + "\n    ".join(moves)
        )


def fill_in(given: Mapping[str, str], state: Path | None) -> dict[str, str]:
    """The settings that nobody gave and that the two halves need on one machine. Makes the secret's and the sites file.

    Raises:
        StandaloneError: What was given contradicts running both here.
    """
    filled = {name: given.get(name, default) for name, default in _PORTS.items()}
    filled |= {name: str(find_free_port()) for name, port in filled.items() if port == "0"}
    url = f"http://127.0.0.1:{filled['RECEIVER_PORT']}"
    if given.get("ENVOY_RECEIVER_URL", url).rstrip("/") != url:
        raise StandaloneError(
            "ENVOY_RECEIVER_URL names another receiver, but this command runs one here: remove it from .env, or run "
            "`envoy-scraper run` alone to send to that one"
        )
    filled["ENVOY_RECEIVER_URL"] = url
    for name, directory in (("RECEIVER_STATE_DIR", "receiver"), ("ENVOY_STATE_DIR", "scraper")):
        default = find_state_directory({}, name) if state is None else state / directory
        filled[name] = given.get(name, str(default))
    state_dir = Path(filled["RECEIVER_STATE_DIR"])
    return filled | _choose_secret(given, state_dir) | _choose_sites_file(given, state_dir)


def _open_to_network(port: str, given: Mapping[str, str]) -> dict[str, str]:
    """The settings with which other machines of the network reach the page. Raises StandaloneError."""
    public_url = given.get("RECEIVER_PUBLIC_URL") or f"http://{find_lan_address()}:{port}"
    return {"RECEIVER_HOST": "0.0.0.0", "RECEIVER_PUBLIC_URL": public_url}  # noqa: S104 (what LAN=1 asks for)


def _choose_secret(given: Mapping[str, str], receiver_state: Path) -> dict[str, str]:
    """One secret for both: the one in the settings, else a generated one in a file."""
    if "ENVOY_RECEIVER_KEY_FILE" in given:
        return {}
    for suffix in ("", "_FILE"):
        values = {given[name + suffix] for name in _SECRETS if name + suffix in given}
        if len(values) > 1:
            raise StandaloneError(
                f"RECEIVER_SECRET{suffix} and ENVOY_RECEIVER_SECRET{suffix} differ: make them the same"
            )
        if values:
            value = values.pop()
            return {name + suffix: value for name in _SECRETS}
    path = receiver_state / "secret"
    try:
        if not path.exists():
            write_private(path, secrets.token_hex(32).encode())
        read_private(path)
    except UnsafeFileError as error:
        raise StandaloneError(str(error)) from error
    except OSError as error:
        raise StandaloneError(
            f"{path} cannot be used ({error.strerror}): choose another directory with --state"
        ) from error
    return {f"{name}_FILE": str(path) for name in _SECRETS}


def _choose_sites_file(given: Mapping[str, str], receiver_state: Path) -> dict[str, str]:
    """The sites file that the settings name, else one of our own, into which the page can write."""
    if "RECEIVER_SITES_FILE" in given:
        return {}
    path = receiver_state / "sites.yaml"
    try:
        if not path.exists():
            write_private(path, _SITES.encode())
    except OSError as error:
        raise StandaloneError(
            f"{path} cannot be used ({error.strerror}): choose another directory with --state"
        ) from error
    return {"RECEIVER_SITES_FILE": str(path)}


def _load_scraper_settings() -> ScraperSettings:
    try:
        return scraper_settings.load()
    except ScraperError as error:
        raise StandaloneError(f"{error}\n(settings are read from .env in this directory)") from error


async def _find_serial(wanted: ScraperSettings, clock: Clock, file: str = ".env") -> str:
    """The gateway's serial, asked from it where no setting says it; or the system. Raises StandaloneError.

    `file`: where the settings stand, as people call it.
    """
    if wanted.source == "cloud":
        return _find_system(wanted)
    if wanted.gateway.serial is not None:
        return wanted.gateway.serial
    info = await _ask_gateway(wanted, clock, file)
    _require_login(info, wanted, file)
    return info.serial


def _find_system(wanted: ScraperSettings) -> str:
    """Under which name a system of the cloud arrives. Raises StandaloneError, also where nobody has approved yet."""
    try:
        read_keys(wanted.cloud)
        grant = GrantFile(wanted.state_dir).load()
        system = name_system(wanted.cloud)
    except ScraperError as error:
        raise StandaloneError(str(error)) from error
    if grant is None:
        raise StandaloneError(
            f"the owner of {system} has not approved yet: run `envoy-scraper cloud authorise`, with {ENV_FILE_OPTION} "
            "and the file before `cloud` where its settings are not in .env (docs/cloud.md)"
        )
    return system


async def _ask_gateway(wanted: ScraperSettings, clock: Clock, file: str) -> GatewayInfo:
    """The identity of the device at the gateway's address. Raises StandaloneError."""
    gateway = wanted.gateway
    try:
        host = (await find_hosts(gateway.address, None))[0]
        address = Address(host, gateway.http_port, gateway.https_port)
        return (await probe(address, clock, lock=asyncio.Lock())).info
    except GatewayError as error:
        raise StandaloneError(f"{error}\nPut the gateway's address into {file}: ENVOY_HOST=192.168.1.20") from error
    except ScraperError as error:
        raise StandaloneError(str(error)) from error


def _require_login(info: GatewayInfo, wanted: ScraperSettings, file: str) -> None:
    """Say at once that a token is missing, rather than in a log line later. Raises StandaloneError."""
    gateway = wanted.gateway
    if not info.token_login or gateway.token() or (gateway.cloud_username() and gateway.cloud_password()):
        return
    if TokenCache(wanted.state_dir).load(info.serial) is None:
        option = "" if file == ".env" else f"{ENV_FILE_OPTION} {file} "
        raise StandaloneError(
            f"gateway {info.serial} has firmware {info.firmware}, which wants a token: put ENVOY_TOKEN=... (from "
            f"https://entrez.enphaseenergy.com) into {file}, give it to `envoy-scraper {option}token --paste`, or put "
            f"ENVOY_CLOUD_USERNAME and ENVOY_CLOUD_PASSWORD into {file} to have it fetched and renewed"
        )


def _list_needed(environment: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The settings without which a command of the receiver would look elsewhere: what --state chose."""
    chosen = environment["RECEIVER_STATE_DIR"]
    default = find_state_directory(given, "RECEIVER_STATE_DIR")
    return {} if Path(chosen) == default else {"RECEIVER_STATE_DIR": chosen}


def _plan_installation(
    serials: Mapping[str, str], others: Sequence[OtherScraper], environment: Mapping[str, str], given: Mapping[str, str]
) -> LocalInstallation:
    try:
        chosen = receiver_settings.load()
    except ReceiverSettingError as error:
        raise StandaloneError(f"{error}\n(settings are read from .env in this directory)") from error
    ours = _list_needed(environment, given)
    serial, *of_others = serials.values()
    return LocalInstallation(
        title=f"envoy-relay: gateway {serial}",
        others={
            f"gateway {each} ({other.name})": other.status_port for each, other in zip(of_others, others, strict=True)
        },
        gateways=(serial, *of_others),
        serial=serial,
        url=environment["ENVOY_RECEIVER_URL"],
        receiver_status_port=chosen.status_port,
        scraper_status_port=int(environment["ENVOY_STATUS_PORT"]),
        environment=environment,
        data=chosen.store.description,
        token_command=format_token_command(ours),
        public_url=chosen.public_url,
        notes={
            f"also {other.name}": f"gateway {each}; envoy-scraper {ENV_FILE_OPTION} {other.file.name} check"
            for each, other in zip(of_others, others, strict=True)
        },
    )

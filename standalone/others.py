"""Further gateways of one house: each has a file of settings like `.env`, and a scraper with a state of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scraper import settings as scraper_settings
from scraper.errors import ScraperError
from scraper.settings import ScraperSettings
from shared.environment import UnreadableSettingError, name_other_scraper, read_environment, use_env_file
from shared.local_settings import find_state_directory, write_local_settings
from standalone.directories import find_free_port
from standalone.errors import StandaloneError

_FIRST_PORT = 8003
_SIGNING = ("ENVOY_RECEIVER_SECRET", "ENVOY_RECEIVER_SECRET_FILE")
_PLACE = "ENVOY_STATE_DIR"


@dataclass(frozen=True, kw_only=True)
class OtherScraper:
    """The scraper of a further gateway.

    Attributes:
        name: What it is called, by its file: `garage` for `.env.garage`.
        file: Its settings.
        wanted: The same, read.
        environment: What it finds in its environment beside them.
    """

    name: str
    file: Path
    wanted: ScraperSettings
    environment: Mapping[str, str]

    @property
    def status_port(self) -> int:
        """Where it tells how it is."""
        return int(self.environment["ENVOY_STATUS_PORT"])

    def remember(self, shared: Mapping[str, str]) -> dict[str, str]:
        """Its whole environment, which commands find in its state directory. Raises StandaloneError.

        Args:
            shared: Settings of the first installation, of which it needs how to reach the receiver.
        """
        reach = {name: shared[name] for name in ("ENVOY_RECEIVER_URL", *_SIGNING) if name in shared}
        environment = {**reach, **self.environment}
        directory = Path(environment[_PLACE])
        chosen = {name: value for name, value in environment.items() if name != _PLACE}
        try:
            write_local_settings(directory, chosen)
        except OSError as error:
            raise StandaloneError(
                f"{directory} cannot be written ({error.strerror}): set {_PLACE} in {self.file} to a directory that can"
            ) from error
        return environment


def plan_others(files: Sequence[Path], state: Path | None) -> list[OtherScraper]:
    """The scrapers of these files, before anything of the first installation stands in the environment.

    Args:
        files: Like `.env`, one for each further gateway.
        state: Directory for what the settings do not place elsewhere; None: default directories.

    Raises:
        StandaloneError: A file or a setting in it is missing or wrong.
    """
    found = []
    for index, file in enumerate(files):
        path = file.absolute()
        try:
            name = name_other_scraper(file.name)
            with use_env_file(str(path)):
                given = read_environment()
                wanted = scraper_settings.load()
        except (UnreadableSettingError, ScraperError) as error:
            raise StandaloneError(f"{error}\n(settings are read from {file})") from error
        if given.get("ENVOY_RECEIVER_URL"):
            raise StandaloneError(f"{file} names a receiver, but this command runs one here: remove ENVOY_RECEIVER_URL")
        directory = find_state_directory(given, _PLACE)
        if state is not None and directory.name.endswith(f"-{name}"):
            directory = state / f"scraper-{name}"
        port = given.get("ENVOY_STATUS_PORT") or str(_FIRST_PORT + index)
        environment = {_PLACE: str(directory), "ENVOY_STATUS_PORT": str(find_free_port()) if port == "0" else port}
        found.append(OtherScraper(name=name, file=path, wanted=wanted, environment=environment))
    _refuse_same([other.environment[_PLACE] for other in found], "state directory (ENVOY_STATE_DIR)")
    return found


def check_serials(serials: Mapping[str, str], allowed: str | None) -> None:
    """Refuse two files of one gateway, and a gateway that the receiver would turn away. Raises StandaloneError.

    Args:
        serials: File to serial of its gateway.
        allowed: RECEIVER_GATEWAYS, if it is set.
    """
    _refuse_same(list(serials.values()), "gateway")
    known = set((allowed or "").replace(",", " ").split())
    missing = [serial for serial in serials.values() if serial not in known] if known else []
    if missing:
        raise StandaloneError(
            f"RECEIVER_GATEWAYS in .env does not list {' and '.join(missing)}: add it, or remove the setting"
        )


def _refuse_same(values: Sequence[str], what: str) -> None:
    for value in _find_repeated(values):
        raise StandaloneError(f"two of the files have the same {what}, {value}: each gateway needs its own")


def _find_repeated(values: Sequence[str]) -> Iterator[str]:
    return (value for index, value in enumerate(values) if value in values[:index])

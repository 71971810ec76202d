"""The running scraper that reads a stream as SolarNetwork configures it."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from scraper.cloud.poll import CloudPoller
from scraper.cloud.rules.streams import StreamConfig, list_routes, parse_stream
from scraper.cloud.stream_reader import make_stream_readers
from scraper.errors import WrongUseError
from scraper.service.cloud_source import CloudSource, MakeJob
from shared.clock import Clock

_MOST_BYTES = 1_000_000
_SOURCE = re.compile(r"[0-9A-Za-z._/-]{1,64}")
_PROPERTY = re.compile(r"[0-9A-Za-z._-]{1,64}")


def load_stream(path: Path, system_id: int) -> StreamConfig:
    """The stream of a file, which reads this system alone. Raises WrongUseError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise WrongUseError(f"{path} is too large for the configuration of a stream")
        config = parse_stream(msgspec.json.decode(path.read_bytes()))
    except OSError as error:
        raise WrongUseError(f"{path} cannot be read ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongUseError(f"{path} is not JSON") from error
    _check_stream(config, system_id)
    return config


def make_stream_job(config: StreamConfig, *, compatible: bool) -> MakeJob:
    """Passes over the devices of a stream.

    Args:
        config: From `load_stream`.
        compatible: Whether the laggard of all devices holds back everything, as in SolarNetwork.
    """

    def make_job(source: CloudSource, clock: Clock) -> Callable[[], Awaitable[None]]:
        readers = make_stream_readers(source.parts.api, source.kept, clock, config, compatible=compatible)
        return CloudPoller(
            source.parts.api,
            source.parts.budget,
            source.kept,
            readers,
            source.health,
            clock,
            system_id=source.system_id,
        ).run

    return make_job


def _check_stream(config: StreamConfig, system_id: int) -> None:
    routes = list_routes(config)
    if not routes:
        raise WrongUseError(
            "no value of the stream can be read: its references must name inv or met and the device sys, and a "
            "sourceIdMap must hold their devices"
        )
    if any(route.reference.system_id != system_id for route in routes):
        raise WrongUseError(
            f"the stream reads other systems than ENVOY_CLOUD_SYSTEM ({system_id}): a scraper reads one; run another "
            "one, with a state directory of its own, for each further system"
        )
    if not all(_SOURCE.fullmatch(route.source) for route in routes):
        raise WrongUseError("a source may have letters, digits and . _ - / only, 64 at most")
    names = [*config.counters, *(route.target.name for route in routes)]
    if not all(_PROPERTY.fullmatch(name) for name in names):
        raise WrongUseError("the name of a property may have letters, digits and . _ - only, 64 at most")
    pairs = [(route.source, route.target.name) for route in routes]
    pairs += [(source, name) for source in {route.source for route in routes} for name in config.counters]
    if len(set(pairs)) < len(pairs):
        raise WrongUseError("two properties of one source have the same name: each needs a name of its own")

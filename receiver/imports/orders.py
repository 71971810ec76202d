"""What people ask to be imported, and the rows of it: from files, and from databases by their address."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from receiver.errors import ReceiverSettingError
from receiver.imports.enlighten_file import LocalZone, read_report
from receiver.imports.formats import envoy_logger, envoy_scrape
from receiver.imports.formats.enlighten_times import DateOrder
from receiver.imports.formats.points import InfluxQuestion, SourcePoint, parse_point
from receiver.imports.formats.summary import ImportedRow, Skipped
from receiver.imports.lines_file import read_lines
from receiver.settings.outputs import is_this_machine
from shared.units import DAY_MS, HOUR_MS

_SCHEMES = ("http://", "https://")
_SCRAPE_BUCKET, _SCRAPE_ORG = "envoy", "flame"
"""Where envoy-scrape writes: it has no setting for them."""


class ImportFormat(StrEnum):
    """What can be imported."""

    ENVOY_SCRAPE = "envoy-scrape"
    ENVOY_LOGGER = "envoy-logger"
    ENLIGHTEN = "enlighten"


@dataclass(frozen=True, kw_only=True)
class ImportOrder:
    """What is to be imported.

    Attributes:
        form: How it is written.
        place: A path, or the address of an InfluxDB.
        gateway: Serial of the gateway that it is of.
        time_zone: IANA name of the zone of its local times; None: the site's.
        dates: The order of its dates; None: the file tells.
        bucket: Bucket, or database, behind an address; None: the usual one of the format.
        org: Organisation behind an address; None: likewise.
        source: Which of several gateways envoy-logger has; None: the first.
        insecure: Whether plain http to another machine is wanted.
        token: The login behind an address.
    """

    form: ImportFormat
    place: str
    gateway: str
    time_zone: str | None = None
    dates: DateOrder | None = None
    bucket: str | None = None
    org: str | None = None
    source: str | None = None
    insecure: bool = False
    token: str | None = None

    @property
    def is_address(self) -> bool:
        """Whether it is asked of a database."""
        return self.place.startswith(_SCHEMES)


class OrderedRows(NamedTuple):
    """The rows of what was ordered, and how its times are read, for people; None where times are instants."""

    rows: Iterator[ImportedRow]
    times: str | None


def read_rows(order: ImportOrder, zone: LocalZone | None, *, kept_ms: int | None, now_ms: int) -> OrderedRows:
    """The rows of what was ordered, as readings or with the reason why they are none.

    Args:
        order: What is wanted.
        zone: Of its local times; None: nobody has said it.
        kept_ms: How long readings of meters are kept; None: without limit.
        now_ms: Wall time, milliseconds since 1970.

    Raises:
        ReceiverSettingError: It cannot be read; a sentence with the remedy.
    """
    if order.form is ImportFormat.ENLIGHTEN:
        if order.is_address:
            raise ReceiverSettingError("enlighten is imported from a file: give the path of the report")
        return OrderedRows(*read_report(Path(order.place), zone=zone, order=order.dates, now_ms=now_ms))
    read_point = _make_point_reader(order, kept_ms, now_ms)
    if order.is_address:
        return OrderedRows((read_point(point) for point in _read_points(order)), None)
    return OrderedRows(_read_lines(Path(order.place), read_point), None)


def _make_point_reader(order: ImportOrder, kept_ms: int | None, now_ms: int) -> Callable[[SourcePoint], ImportedRow]:
    if order.form is ImportFormat.ENVOY_LOGGER:
        return envoy_logger.EnvoyLoggerReader(order.source, now_ms, kept_ms).read_point
    return lambda point: envoy_scrape.read_point(point, gateway=order.gateway, now_ms=now_ms)


def _read_lines(path: Path, read_point: Callable[[SourcePoint], ImportedRow]) -> Iterator[ImportedRow]:
    for number, line in enumerate(read_lines(path), start=1):
        point = parse_point(line)
        if point is None:
            continue
        row = point if isinstance(point, Skipped) else read_point(point)
        yield row._replace(line=number) if isinstance(row, Skipped) else row


def _read_points(order: ImportOrder) -> Iterator[SourcePoint]:
    try:
        parts = urlsplit(order.place)
        fits = bool(parts.hostname) and parts.port != 0 and parts.username is None and not parts.query
    except ValueError:
        fits = False
    if not fits:
        raise ReceiverSettingError(
            "the address must look like http://influx.lan:8086, without a login or a query in it: the login is "
            "IMPORT_TOKEN, or a file that IMPORT_TOKEN_FILE names"
        )
    is_open = parts.scheme == "http" and not is_this_machine(parts.hostname or "")
    if is_open and order.token is not None and not order.insecure:
        raise ReceiverSettingError(
            "the address is plain http to another machine: anybody on the way could read the login; use https, or "
            "add --insecure if that network is yours alone"
        )
    is_scrape = order.form is ImportFormat.ENVOY_SCRAPE
    bucket = order.bucket or (_SCRAPE_BUCKET if is_scrape else None)
    if bucket is None:
        raise ReceiverSettingError(
            "--bucket must name the bucket of the high rate, as envoy-logger's configuration does"
        )
    from receiver.imports.influx_source import InfluxSource  # noqa: PLC0415 (it loads the client of InfluxDB)

    org = order.org or (_SCRAPE_ORG if is_scrape else "")
    return InfluxSource(order.place.rstrip("/"), order.token, org, bucket).read_points(_make_question(order))


def _make_question(order: ImportOrder) -> InfluxQuestion:
    if order.form is ImportFormat.ENVOY_SCRAPE:
        return InfluxQuestion(
            measurements=f'"{envoy_scrape.MEASUREMENT}"',
            fields=tuple(envoy_scrape.FIELDS),
            condition='"envoySerial" = $gateway',
            parameters={"gateway": order.gateway},
            stretch_ms=DAY_MS,
        )
    return InfluxQuestion(
        measurements=f"/{envoy_logger.MEASUREMENTS}/",
        fields=("P",),
        condition="" if order.source is None else '"source" = $source',
        parameters={} if order.source is None else {"source": order.source},
        stretch_ms=HOUR_MS,
    )

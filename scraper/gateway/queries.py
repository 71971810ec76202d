"""What the rest of the scraper asks a gateway: which endpoints answer it, and how they stand in for each other.

`ask` fetches one path as JSON and raises the errors of `GatewaySession.get_json`.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from scraper.errors import BadReplyError, EmptyReplyError, EndpointUnavailableError, GatewayUnreachableError
from scraper.gateway.info import GatewayInfo
from scraper.gateway.login import JUDGE_PATH as INVERTERS
from scraper.gateway.parse.device_data import join_inverters, parse_device_data
from scraper.gateway.parse.eim import parse_eim
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.meters import ConfiguredMeter, parse_meters
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.production import FIRST_UNWRAPPED_VERSION, choose_production
from scraper.gateway.parse.values import Notes
from shared.clock import Clock
from shared.readings import Reading

Ask: TypeAlias = Callable[[str], Awaitable[object]]

DEVICE_DATA = "/ivp/pdm/device_data"
METERS = "/ivp/meters"
METER_READINGS = "/ivp/meters/readings"
ENERGY = "/ivp/pdm/energy"
HOME = "/home"
PRODUCTION = "/production.json"
PRODUCTION_V1 = "/api/v1/production"

_FIRST_PRODUCTION_JSON = (4,)
"""Before this firmware the path gives a web page with status 200."""


async def ask_inverters(ask: Ask, notes: Notes) -> list[Reading]:
    """One reading per inverter: the complete list, enriched where the firmware has more.

    Raises:
        EndpointUnavailableError: The gateway has neither endpoint.
    """
    absent: EndpointUnavailableError | None = None
    listed = None
    try:
        listed = parse_inverters(await ask_list(ask, INVERTERS), notes)
    except EndpointUnavailableError as error:
        absent = error
    try:
        rich = parse_device_data(await ask(DEVICE_DATA), notes)
    except (EndpointUnavailableError, BadReplyError, GatewayUnreachableError):
        # It only adds to the list: its failure must not cost the inverters' power.
        if absent is not None:
            raise absent from None
        rich = None
    return join_inverters(listed, rich)


async def ask_meters(ask: Ask, notes: Notes) -> list[ConfiguredMeter]:
    """The configured meters. Raises EndpointUnavailableError where the gateway does not know the question."""
    return parse_meters(await ask_list(ask, METERS), notes)


async def ask_list(ask: Ask, path: str) -> object:
    """A reply that should be a list; an empty body means that nothing is there now."""
    try:
        return await ask(path)
    except EmptyReplyError:
        return []


async def ask_production(
    ask: Ask,
    info: GatewayInfo,
    meters: list[ConfiguredMeter],
    clock: Clock,
    notes: Notes,
    is_absent: Callable[[str], bool],
) -> Reading | None:
    """The sum of all inverters from the first endpoint that this gateway has, cheapest first.

    `is_absent` says of a path whether the gateway lacks it, and does not only refuse it now.
    """
    energy = await _ask_optional(ask, ENERGY)
    production = api = None
    if energy is None and info.version >= _FIRST_PRODUCTION_JSON:
        production = await _ask_optional(ask, PRODUCTION)
    if energy is None and (production is None or info.version < FIRST_UNWRAPPED_VERSION):
        api = await _ask_optional(ask, PRODUCTION_V1)
    return choose_production(
        info,
        meters,
        received_ms=clock.now_ms(),
        energy=energy,
        production=production,
        api=api,
        api_is_absent=is_absent(PRODUCTION_V1),
        notes=notes,
    )


async def ask_eim(ask: Ask, info: GatewayInfo, notes: Notes) -> list[MeterValues]:
    """The power of the meters by the slow page that sums them; nothing where the gateway lacks it."""
    if info.version < _FIRST_PRODUCTION_JSON:
        return []
    return parse_eim(await _ask_optional(ask, PRODUCTION), notes)


async def _ask_optional(ask: Ask, path: str) -> object:
    try:
        return await ask(path)
    except (EndpointUnavailableError, EmptyReplyError):
        return None

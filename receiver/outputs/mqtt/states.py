"""Reads what is to be published of a gateway."""

import asyncio
from collections.abc import Callable, Iterator

from receiver.calendar.local import to_local
from receiver.outputs.lifetime.energies import LifetimeEnergies, LifetimeReader
from receiver.outputs.mqtt import discovery, payloads
from receiver.outputs.mqtt.discovery import Topics
from receiver.outputs.mqtt.payloads import GatewayLatest, Message, Payload
from receiver.queries.panels import PanelNow, PanelState, describe_panels
from receiver.rollups.series import read_number
from receiver.sites.household import describe_household
from receiver.sites.model import Site
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import Latest, Store
from shared.clock import Clock

_KINDS = ("meter", "inverter", "production", "gateway", *KINDS_OF_STORAGE)


class GatewayStates:
    """What a broker is to have of one gateway: once a key was known, it stays announced.

    Args:
        gateway: Its serial.
        store: Where its values are.
        lifetime: Its lifetime energies.
        site_of: What the owner says of it.
        topics: Where all of it goes.
        clock: What speaks of now.
    """

    def __init__(
        self,
        gateway: str,
        *,
        store: Store,
        lifetime: LifetimeReader,
        site_of: Callable[[str], Site],
        topics: Topics,
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._lifetime = lifetime
        self._site_of = site_of
        self._topics = topics
        self._clock = clock
        self._known: dict[str, set[str]] = {}
        self._energies: LifetimeEnergies | None = None

    async def read_minute(self) -> list[Message]:
        """What is read once a minute: lifetime energies, and the energies of today. Raises StoreUnavailableError."""
        site, now = self._site_of(self._gateway), self._clock.now_ms()
        self._energies = found = await self._lifetime.read(self._gateway)
        start, *_, stop = site.list_windows("energy_1d", now, now + 1)
        days = await self._store.read_points(self._gateway, "energy_1d", start=start, stop=stop)
        today = days[0].points[-1].fields if days else {}
        energy = payloads.make_energy(found.energies, found.timestamp)
        self._note("energy", energy)
        return [
            self._make("energy", energy, 1),
            self._make("today", payloads.make_today(to_local(start, site.zone).date(), today), 1),
        ]

    async def read_now(self) -> list[Message]:
        """All other states, and what Home Assistant is told of them. Raises StoreUnavailableError."""
        meters, inverters, totals, gateway, *storage = await asyncio.gather(
            *(self._store.read_latest(self._gateway, kind) for kind in _KINDS)
        )
        site, now = self._site_of(self._gateway), self._clock.now_ms()

        def describe(at_ms: int) -> GatewayLatest:
            household = describe_household(meters, inverters, site, at_ms, describe_storage(storage, at_ms), totals)
            return GatewayLatest(household, meters, inverters, gateway)

        newest = max((one.timestamp for one in [*meters, *inverters]), default=now)
        self._note("power", payloads.make_power(describe(newest).household))
        return [*self._list_states(describe(now), site, now), *self._list_devices(inverters, gateway, site)]

    def _list_states(self, known: GatewayLatest, site: Site, now_ms: int) -> Iterator[Message]:
        status = payloads.find_status(known, now_ms)
        yield self._make("power", self._note("power", payloads.make_power(known.household)), 0)
        for rest, payload in payloads.make_meters(known.meters, site, now_ms):
            yield self._make(rest, self._note(rest, payload), 0)
        panels = describe_panels(known.inverters, site, now_ms)
        made = self._energies.panels if self._energies else {}
        for latest in known.inverters:
            serial = latest.tags["inverter"]
            payload = _describe_panel(latest, panels[serial], site, made.get(serial))
            yield self._make(f"inverter/{serial}", self._note(f"inverter/{serial}", payload), 1)
        yield self._make("gateway", payloads.make_gateway(known.gateway, now_ms), 0)
        yield Message(self._topics.name_state(self._gateway, "status"), status.encode(), 1)

    def _list_devices(self, inverters: list[Latest], gateway: list[Latest], site: Site) -> Iterator[Message]:
        if not self._topics.discovery or self._energies is None:
            return
        firmware = next((one.fields.get("firmware") for one in gateway), None)
        text = firmware if isinstance(firmware, str) else None
        device = discovery.describe_gateway(self._topics, self._gateway, site, self._known, text)
        yield self._make_description(discovery.name_gateway(self._gateway), device)
        for one in inverters:
            serial = one.tags["inverter"]
            keys = self._known[f"inverter/{serial}"]
            panel = discovery.describe_panel(self._topics, self._gateway, serial, site, keys)
            yield self._make_description(discovery.name_panel(serial), panel)

    def _make_description(self, identifier: str, device: Payload) -> Message:
        return Message(self._topics.name_device(identifier), payloads.encode(device), 1)

    def _make(self, rest: str, payload: Payload, qos: int) -> Message:
        return Message(self._topics.name_state(self._gateway, rest), payloads.encode(payload), qos)

    def _note(self, rest: str, payload: Payload) -> Payload:
        """Note what is known of a topic, and return it."""
        keys = {key for key, value in payload.items() if value is not None}
        self._known.setdefault(rest, set()).update(keys)
        return payload


def _describe_panel(latest: Latest, now: PanelNow, site: Site, energy_wh: float | None) -> Payload:
    """One panel; its power is null while it is silent, and 0 at night."""
    reported = read_number(latest.fields, "power")
    power = {PanelState.PRODUCING: reported, PanelState.IDLE: 0.0}.get(now.state)
    return payloads.make_panel(latest, site, state=now.state.value, power=power, energy_wh=energy_wh)

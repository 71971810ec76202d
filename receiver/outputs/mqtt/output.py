"""The output to an MQTT broker: the newest state of every topic, retained.

Ingest only notes which gateway has something new; what is published is read from the store when it is due, so nothing
waits while the broker is away. After every connection, and when Home Assistant starts, everything is published again.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import aiomqtt
import structlog

from receiver.live.watch import Watch
from receiver.metrics import Metrics
from receiver.outputs.base import OutputError, OutputState
from receiver.outputs.lifetime.energies import LifetimeReader
from receiver.outputs.mqtt.connection import PUBLISH_S, open_connection
from receiver.outputs.mqtt.discovery import Topics
from receiver.outputs.mqtt.forgetting import forget_gateway
from receiver.outputs.mqtt.inbox import Inbox
from receiver.outputs.mqtt.payloads import OFFLINE, ONLINE, Message, encode, make_event
from receiver.outputs.mqtt.states import GatewayStates
from receiver.outputs.progress import OutputProgress
from receiver.outputs.progress_file import ProgressError, ProgressFile
from receiver.settings.outputs import MqttSettings
from receiver.sites.model import Site
from receiver.stores.base import Store, StoreUnavailableError
from shared.backoff import Backoff
from shared.clock import Clock
from shared.readings import Reading
from shared.units import MINUTE_S

_log = structlog.get_logger()
_FIRST_S, _LONGEST_S = 2.0, 60.0
_UNWATCHED_S = 10
"""As often scrapers post by themselves; who wants more must look."""
_MOST_EVENTS = 100
_GOODBYE_S = 2.0


class MqttOutput:
    """As `receiver.outputs.base.Output`.

    Args:
        settings: With an address.
        store: Where states are.
        site_of: What the owner says of a gateway.
        lifetime: Its lifetime energies.
        file: What people want of outputs.
        watch: Asks scrapers to post at once.
        clock: What is due.
        metrics: What is counted.
    """

    name = "mqtt"

    def __init__(
        self,
        settings: MqttSettings,
        *,
        store: Store,
        site_of: Callable[[str], Site],
        lifetime: LifetimeReader,
        file: ProgressFile,
        watch: Watch,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._store = store
        self._site_of = site_of
        self._lifetime = lifetime
        self._file = file
        self._watch = watch
        self._clock = clock
        self._metrics = metrics
        discovery = "" if settings.discovery == "off" else settings.discovery
        self._topics = Topics(settings.topic, discovery)
        self._states: dict[str, GatewayStates] = {}
        self._forgotten: dict[str, int] | None = None  # None: the file was not read yet
        self._events: deque[Message] = deque(maxlen=_MOST_EVENTS)
        self._sent: dict[str, bytes] = {}
        self._sent_at: dict[str, int] = {}
        self._problem: str | None = None
        self._minute_at = 0.0
        self._backoff = Backoff(random.Random(), first_s=_FIRST_S, longest_s=_LONGEST_S, shortest_share=0.5)

    def note(self, gateway: str, readings: Sequence[Reading]) -> None:
        """As `Output.note`."""
        if self._forgotten is not None:
            self._forgotten.pop(gateway, None)
        if not self._site_of(gateway).outputs.mqtt:
            return
        for reading in readings:
            if reading.kind == "event":
                payload = encode(make_event(reading.timestamp, reading.tags["type"], reading.fields))
                self._events.append(Message(self._topics.name_state(gateway, "event"), payload, 0))

    async def run(self) -> None:
        """As `Output.run`."""
        while True:
            try:
                await self._serve()
            except OutputError as error:
                if self._problem != str(error):
                    _log.warning("an output waits", output=self.name, reason=str(error))
                self._problem = str(error)
                self._metrics.output_failed.labels(self.name, error.reason).inc()
            self._show()
            await self._clock.sleep(self._backoff.draw_delay())

    def list_states(self, now_ms: int) -> list[OutputState]:
        """As `Output.list_states`; while the broker has everything, nothing is behind."""
        return [
            OutputState(self.name, gateway, now_ms - sent_at if self._problem else 0, self._problem)
            for gateway, sent_at in sorted(self._sent_at.items())
        ]

    async def close(self) -> None:
        """As `Output.close`; there is nothing to keep."""

    async def _serve(self) -> None:
        """Publish over one connection until it ends."""
        status = self._topics.name_status()
        async with open_connection(self._settings, aiomqtt.Will(status, OFFLINE, 1, True)) as client:
            _log.info("the broker is reached", output=self.name)
            self._sent.clear()
            self._minute_at = self._clock.monotonic()
            inbox = Inbox(client, f"{self._topics.discovery}/status" if self._topics.discovery else None)
            await inbox.subscribe()
            listening = asyncio.create_task(inbox.listen())
            try:
                await self._send(client, [Message(status, ONLINE.encode(), 1)])
                while not listening.done():
                    if inbox.take_birth():
                        self._sent = {status: self._sent[status]}
                    await self._send_round(client, inbox)
                    waits = asyncio.create_task(self._clock.sleep(self._settings.interval))
                    born = asyncio.create_task(inbox.wait_for_birth())
                    await asyncio.wait({listening, waits, born}, return_when=asyncio.FIRST_COMPLETED)
                    waits.cancel()
                    born.cancel()
                await listening
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(status, OFFLINE, 1, True, timeout=_GOODBYE_S)
                raise
            finally:
                listening.cancel()
                await asyncio.wait({listening})

    async def _send_round(self, client: aiomqtt.Client, inbox: Inbox) -> None:
        is_minute = self._clock.monotonic() >= self._minute_at
        try:
            if is_minute:
                await self._apply_wishes(client, inbox)
            gateways = await self._list_gateways()
            for gateway in gateways:
                await self._send_gateway(client, gateway, is_minute=is_minute)
            if is_minute:
                self._minute_at = self._clock.monotonic() + MINUTE_S
                now = self._clock.now_ms()
                await self._file.keep(self.name, [OutputProgress(one, now, last_success=now) for one in gateways])
        except (StoreUnavailableError, ProgressError) as error:
            if self._problem != str(error):
                _log.warning("an output waits", output=self.name, reason=str(error))
            self._problem = str(error)
            self._metrics.output_failed.labels(self.name, "here").inc()
        else:
            self._problem = None
            self._backoff.succeed()
        self._show()

    async def _send_gateway(self, client: aiomqtt.Client, gateway: str, *, is_minute: bool) -> None:
        states = self._states.get(gateway)
        if states is None:
            states = self._states[gateway] = GatewayStates(
                gateway,
                store=self._store,
                lifetime=self._lifetime,
                site_of=self._site_of,
                topics=self._topics,
                clock=self._clock,
            )
            is_minute = True
        elif self._topics.name_state(gateway, "energy") not in self._sent:
            is_minute = True
        if self._settings.interval < _UNWATCHED_S:
            self._watch.renew(gateway)
        if is_minute:  # it expires there, and stays true here for longer than that
            self._sent.pop(self._topics.name_state(gateway, "power"), None)
        minute = await states.read_minute() if is_minute else []
        await self._send(client, [*minute, *await states.read_now()])
        for _ in range(len(self._events)):
            event = self._events.popleft()
            await client.publish(event.topic, event.payload, event.qos, timeout=PUBLISH_S)
            self._metrics.output_sent.labels(self.name).inc()
        self._sent_at[gateway] = self._clock.now_ms()

    async def _send(self, client: aiomqtt.Client, messages: Iterable[Message]) -> None:
        """Publish what the broker does not have yet."""
        for topic, payload, qos in messages:
            if self._sent.get(topic) != payload:
                await client.publish(topic, payload, qos, retain=True, timeout=PUBLISH_S)
                self._sent[topic] = payload
                self._metrics.output_sent.labels(self.name).inc()

    async def _list_gateways(self) -> list[str]:
        forgotten = await self._load_forgotten()
        return [
            one.gateway
            for one in await self._store.list_gateways()
            if one.last_timestamp > forgotten.get(one.gateway, 0) and self._site_of(one.gateway).outputs.mqtt
        ]

    async def _load_forgotten(self) -> dict[str, int]:
        """By serial of a gateway that was forgotten the time of its newest reading then."""
        if self._forgotten is None:
            known = await self._file.load(self.name)
            self._forgotten = {gateway: one.sent_until for gateway, one in known.items() if one.is_silent}
        return self._forgotten

    async def _apply_wishes(self, client: aiomqtt.Client, inbox: Inbox) -> None:
        forgotten = await self._load_forgotten()
        wishes = await self._file.read_wishes(self.name)
        gone: list[OutputProgress] = []
        for gateway in {wish.gateway for wish in wishes.values() if wish.since is None}:
            await forget_gateway(client, inbox, self._topics, gateway, self._clock)
            await self._lifetime.forget(gateway)
            self._states.pop(gateway, None)
            self._sent_at.pop(gateway, None)
            self._sent = {self._topics.name_status(): ONLINE.encode()}
            summary = await self._store.read_summary(gateway)
            forgotten[gateway] = self._clock.now_ms() if summary is None else summary.last_timestamp
            gone.append(OutputProgress(gateway, forgotten[gateway], is_silent=True))
            _log.info("an output forgot a gateway", output=self.name, gateway=gateway)
        if wishes:
            await self._file.keep(self.name, gone, granted=wishes)  # a broker that goes away meanwhile is asked again

    def _show(self) -> None:
        for state in self.list_states(self._clock.now_ms()):
            self._metrics.output_behind.labels(self.name, state.gateway).set(state.behind_ms / 1000)

"""What a broker tells us: that Home Assistant has started, and what it retains while we ask."""

import asyncio

import aiomqtt

from receiver.outputs.mqtt.payloads import ONLINE


class Inbox:
    """The messages of one connection.

    Args:
        client: The connection.
        birth_topic: Where Home Assistant says that it has started; None: nobody does.
    """

    def __init__(self, client: aiomqtt.Client, birth_topic: str | None) -> None:
        self._client = client
        self._birth_topic = birth_topic
        self._birth = asyncio.Event()
        self._retained: dict[str, bytes] | None = None

    async def subscribe(self) -> None:
        """Ask for the birth message. Raises aiomqtt.MqttError."""
        if self._birth_topic is not None:
            await self._client.subscribe(self._birth_topic, qos=0)

    async def listen(self) -> None:
        """Take messages until the connection ends. Raises aiomqtt.MqttError."""
        async for message in self._client.messages:
            topic, payload = str(message.topic), message.payload
            data = payload if isinstance(payload, bytes) else b""
            if topic == self._birth_topic and data == ONLINE.encode():
                self._birth.set()
            elif self._retained is not None and message.retain:
                self._retained[topic] = data

    def take_birth(self) -> bool:
        """Whether Home Assistant has started since the last call."""
        born = self._birth.is_set()
        self._birth.clear()
        return born

    async def wait_for_birth(self) -> None:
        """Wait until it starts."""
        await self._birth.wait()

    def begin_to_collect(self) -> dict[str, bytes]:
        """Retained messages, topic to payload, as they come in until `end_collecting`."""
        self._retained = {}
        return self._retained

    def end_collecting(self) -> None:
        """Take no more of them."""
        self._retained = None

"""Empties everything that a broker retains of a gateway: its states, and what Home Assistant was told of it."""

import aiomqtt

from receiver.outputs.mqtt.connection import PUBLISH_S
from receiver.outputs.mqtt.discovery import Topics
from receiver.outputs.mqtt.inbox import Inbox
from shared.clock import Clock

_ANSWER_S = 2.0
"""A broker sends what it retains at once."""


async def forget_gateway(client: aiomqtt.Client, inbox: Inbox, topics: Topics, gateway: str, clock: Clock) -> None:
    """Ask the broker what it has, also of panels that are long gone, and empty it. Raises aiomqtt.MqttError."""
    states = topics.name_state(gateway, "")
    filters = [f"{states}#"]
    if topics.discovery:
        filters.append(f"{topics.discovery}/device/+/config")
    retained = inbox.begin_to_collect()
    for one in filters:
        await client.subscribe(one, qos=1)
    await clock.sleep(_ANSWER_S)
    for one in filters:
        await client.unsubscribe(one)
    inbox.end_collecting()
    for topic, payload in retained.items():
        if topic.startswith(states) or f'"{states}'.encode() in payload:
            await client.publish(topic, b"", 1, retain=True, timeout=PUBLISH_S)

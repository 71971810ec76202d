"""One connection to a broker: login, TLS, last will, and sentences for what goes wrong."""

import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import aiomqtt

from receiver.outputs.base import OutputError
from receiver.settings.outputs import MqttSettings

PUBLISH_S = 30.0
KEEPALIVE_S = 30
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LOGIN = ("not authori", "bad user name", "identifier rejected")
_quiet = logging.getLogger("receiver.outputs.mqtt")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # what matters becomes a sentence of ours


@contextlib.asynccontextmanager
async def open_connection(settings: MqttSettings, will: aiomqtt.Will | None = None) -> AsyncIterator[aiomqtt.Client]:
    """A connection that is logged in. Raises OutputError; while it is open, for what its user lets through, too."""
    parts = urlsplit(settings.url or "")
    try:
        tls = ssl.create_default_context(cafile=settings.ca_file) if parts.scheme == "mqtts" else None
    except (OSError, ssl.SSLError) as error:
        raise OutputError(
            f"RECEIVER_MQTT_CA_FILE {settings.ca_file} cannot be used ({error}): give the certificate of the authority",
            "login",
        ) from error
    try:
        async with aiomqtt.Client(
            parts.hostname or "",
            parts.port or _PORTS[parts.scheme],
            username=settings.username,
            password=settings.password,
            logger=_quiet,
            will=will,
            timeout=PUBLISH_S,
            keepalive=KEEPALIVE_S,
            tls_context=tls,
        ) as client:
            yield client
    except (aiomqtt.MqttError, OSError) as error:
        raise _explain(settings, error) from error


async def check_broker(settings: MqttSettings, gateways: Sequence[str]) -> str:
    """Log in, publish nothing, and say where the values of these gateways would go. Raises OutputError."""
    async with open_connection(settings):
        pass
    places = " and ".join(f"{settings.topic}/{one}/" for one in gateways)
    told = "nobody is told by discovery" if settings.discovery == "off" else f"discovery is at {settings.discovery}/"
    return f"the login is accepted; values go to {places}, and {told}"


def _explain(settings: MqttSettings, error: Exception) -> OutputError:
    """Which setting to look at; the broker's address is known to its owner, and no secret is in it."""
    text = str(error) or type(error).__name__
    if any(word in text.lower() for word in _LOGIN):
        return OutputError(
            f"the broker refuses the login ({text}): check RECEIVER_MQTT_USERNAME and RECEIVER_MQTT_PASSWORD", "login"
        )
    if "certificate" in text.lower():
        return OutputError(
            f"the broker's certificate is not trusted ({text}): check RECEIVER_MQTT_CA_FILE, and the name in "
            "RECEIVER_MQTT_URL",
            "login",
        )
    return OutputError(f"the broker {settings.url} does not answer ({text}): check RECEIVER_MQTT_URL", "unreachable")

"""What `envoy-receiver outputs` refuses: outputs and gateways that nobody here knows."""

import asyncio

from receiver import settings
from receiver.cli.sites import list_stored_gateways
from receiver.errors import ReceiverSettingError
from receiver.outputs.mqtt.output import MqttOutput
from receiver.outputs.progress_file import FILE, load_standing
from receiver.settings import ReceiverSettings
from shared.keys import is_serial


def refuse_unless_sent(chosen: ReceiverSettings, output: str, gateway: str) -> None:
    """Refuse what cannot be sent again.

    Args:
        chosen: Where the outputs' file is.
        output: Name of the output.
        gateway: Serial; empty: every gateway that goes there.

    Raises:
        ReceiverSettingError: No such output is set up, or it keeps no history, or the gateway does not go there.
    """
    names = _list_configured()
    if output == MqttOutput.name:
        raise ReceiverSettingError(
            "mqtt has only the newest of everything, and publishes all of it after every connection: nothing of it is "
            "sent again"
        )
    durable = [name for name in names if name != MqttOutput.name]
    if output not in durable:
        raise ReceiverSettingError(
            f"no output {output!r} is set up here; these send again: {', '.join(durable) or 'none'}"
        )
    gateways = {one.gateway for name, one in load_standing(chosen.state_dir / FILE) if name == output}
    if not gateways:
        raise ReceiverSettingError(f"the output {output} has not run here yet: start the receiver, and try again")
    if gateway and gateway not in gateways:
        raise ReceiverSettingError(
            f"--gateway: the output {output} knows no gateway {gateway}; it knows {', '.join(sorted(gateways))}"
        )


def refuse_unless_known(chosen: ReceiverSettings, gateway: str) -> None:
    """Refuse to forget a gateway that no output and no store knows, or where no broker is set up.

    Raises:
        ReceiverSettingError: The serial is none, or nobody knows it, or RECEIVER_MQTT_URL is not set; or no output
            knows it, and the store cannot be asked.
    """
    if not is_serial(gateway):
        raise ReceiverSettingError("SERIAL must be a serial number, e.g. 122300001234")
    if MqttOutput.name not in _list_configured():
        raise ReceiverSettingError("no broker is set up here (RECEIVER_MQTT_URL), so there is nothing to empty")
    known = {one.gateway for _, one in load_standing(chosen.state_dir / FILE)}
    if gateway in known:
        return
    try:
        known |= asyncio.run(list_stored_gateways(chosen))
    except ValueError as error:
        raise ReceiverSettingError(f"the store cannot say which gateways it knows: {error}") from error
    if gateway not in known:
        raise ReceiverSettingError(
            f"no output and no store here knows a gateway {gateway}; known are: {', '.join(sorted(known)) or 'none'}"
        )


def _list_configured() -> list[str]:
    chosen = settings.load_outputs()
    addresses = {
        "lines": chosen.lines.url,
        "emoncms": chosen.emoncms.url,
        "pvoutput": chosen.pvoutput.api_key,
        MqttOutput.name: chosen.mqtt.url,
    }
    return [name for name, address in addresses.items() if address is not None]

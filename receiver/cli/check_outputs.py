"""A line of `envoy-receiver check` for each output: whether it is reached, and where it would write.

Nothing is written there.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

from receiver import settings
from receiver.errors import ReceiverSettingError
from receiver.outputs.base import OutputError
from receiver.outputs.choose import list_targets
from receiver.outputs.mqtt.connection import check_broker
from receiver.outputs.mqtt.output import MqttOutput
from receiver.settings import ReceiverSettings
from receiver.sites import LocatedSites, SitesFile, find_machine_zone
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.clock import SystemClock


def examine_outputs(chosen: ReceiverSettings) -> Iterator[tuple[bool, str]]:
    """Whether each configured output is fine, and a sentence."""
    try:
        yield from asyncio.run(_look(chosen))
    except ReceiverSettingError as error:
        yield from ((False, f"outputs: {problem}") for problem in str(error).splitlines())
    except StoreUnavailableError:
        return  # another line says so


class _Examined(NamedTuple):
    """An output, as far as the check is concerned.

    Attributes:
        name: Of the output.
        is_wanted: Whether the owner sends a gateway there.
        check: Asks without writing, as `Target.check`.
    """

    name: str
    is_wanted: Callable[[str], bool]
    check: Callable[[Sequence[str]], Awaitable[str]]


async def _look(chosen: ReceiverSettings) -> list[tuple[bool, str]]:
    configured = settings.load_outputs()
    try:
        store, clock = choose_store(chosen).make(), SystemClock()
    except ReceiverSettingError:
        return []  # another line says so
    sites = LocatedSites(SitesFile(chosen.sites_file, clock), store, find_machine_zone())
    targets = list(list_targets(configured, store, sites.get_site, lambda *_: (), clock))
    examined = [_Examined(target.name, target.is_wanted, target.check) for target in targets]
    if configured.mqtt.url is not None:
        examined.append(
            _Examined(
                MqttOutput.name,
                lambda gateway: sites.get_site(gateway).outputs.mqtt,
                functools.partial(check_broker, configured.mqtt),
            )
        )
    if not examined:
        return []
    await store.open()
    try:
        await sites.load()
        return [await _check(one, await _list_gateways(store, one)) for one in examined]
    finally:
        for target in targets:
            await target.close()
        await store.close()


async def _check(one: _Examined, gateways: Sequence[str]) -> tuple[bool, str]:
    if not gateways:
        return (
            True,
            f"output {one.name}: no gateway that is known goes there; `outputs:` in the sites file says which",
        )
    try:
        return True, f"output {one.name}: {await one.check(gateways)}"
    except OutputError as error:
        return False, f"output {one.name}: {error}"


async def _list_gateways(store: Store, one: _Examined) -> list[str]:
    return [each.gateway for each in await store.list_gateways() if one.is_wanted(each.gateway)]

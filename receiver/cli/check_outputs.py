"""A line of `envoy-receiver check` for each output: whether it is reached, and where it would write.

Nothing is written there.
"""

import asyncio
from collections.abc import Iterator, Sequence

from receiver import settings
from receiver.errors import ReceiverSettingError
from receiver.outputs.base import OutputError, Target
from receiver.outputs.choose import list_targets
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


async def _look(chosen: ReceiverSettings) -> list[tuple[bool, str]]:
    configured = settings.load_outputs()
    try:
        store, clock = choose_store(chosen).make(), SystemClock()
    except ReceiverSettingError:
        return []  # another line says so
    sites = LocatedSites(SitesFile(chosen.sites_file, clock), store, find_machine_zone())
    targets = list(list_targets(configured, store, sites.get_site, lambda *_: (), clock))
    if not targets:
        return []
    await store.open()
    try:
        await sites.load()
        return [await _check(target, await _list_gateways(store, target)) for target in targets]
    finally:
        for target in targets:
            await target.close()
        await store.close()


async def _check(target: Target, gateways: Sequence[str]) -> tuple[bool, str]:
    if not gateways:
        return (
            True,
            f"output {target.name}: no gateway that is known goes there; `outputs:` in the sites file says which",
        )
    try:
        return True, f"output {target.name}: {await target.check(gateways)}"
    except OutputError as error:
        return False, f"output {target.name}: {error}"


async def _list_gateways(store: Store, target: Target) -> list[str]:
    return [one.gateway for one in await store.list_gateways() if target.is_wanted(one.gateway)]

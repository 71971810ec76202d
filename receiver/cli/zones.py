"""The time zone of each gateway's site for commands that print times, as the page shows them."""

import asyncio
from datetime import tzinfo

from receiver.errors import ReceiverSettingError
from receiver.settings import ReceiverSettings
from receiver.sites import LocatedSites, SitesFile, find_machine_zone
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.clock import SystemClock


def read_zones(chosen: ReceiverSettings) -> dict[str, tzinfo]:
    """The zone of every gateway that the store knows, by serial; nothing where the store is away or not made yet."""
    choice = choose_store(chosen)
    if choice.is_missing:
        return {}
    try:
        return asyncio.run(_read(choice.make(), SitesFile(chosen.sites_file, SystemClock())))
    except (ReceiverSettingError, StoreUnavailableError):
        return {}  # the commands that need the store say what is wrong with it


async def _read(store: Store, file: SitesFile) -> dict[str, tzinfo]:
    await store.open()
    try:
        sites = LocatedSites(file, store, find_machine_zone())
        await sites.load()
        return {summary.gateway: sites.get_site(summary.gateway).zone for summary in await store.list_gateways()}
    finally:
        await store.close()

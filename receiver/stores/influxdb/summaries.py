"""What there is of each gateway, from the remembered series and the times of their newest readings."""

import asyncio
from collections.abc import Collection, Mapping

from receiver.stores.base import GatewaySummary
from receiver.stores.influxdb.known_series import KnownSeries
from receiver.stores.influxdb.queries import LOOK_BACK
from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from shared.fields import KINDS


async def list_gateways(
    reader: TwoBucketReader, known: KnownSeries, *, only: str | None = None
) -> list[GatewaySummary]:
    """As `Store.list_gateways`; of one gateway, if it has readings, where `only` is given.

    The time of the oldest reading stays unknown: it would need a look into every shard.
    """
    there = await known.list_gateways() if only is None else {only: await known.list_kinds(only)}
    series = {
        gateway: {kind: len(keys) for kind, keys in kinds.items() if kind in KINDS} for gateway, kinds in there.items()
    }
    series = {gateway: counts for gateway, counts in series.items() if counts}
    lasts = {gateway: last for gateway in series if (last := known.find_last(gateway)) is not None}
    if series.keys() - lasts.keys():
        kinds = {kind for counts in series.values() for kind in counts}
        lasts = await _read_lasts(reader, series, [kind for kind in KINDS if kind in kinds], only)
        for gateway, last in lasts.items():
            known.note_last(gateway, last)
    return [
        GatewaySummary(gateway=gateway, first_timestamp=None, last_timestamp=lasts[gateway], series=series[gateway])
        for gateway in sorted(lasts.keys() & series.keys())
    ]


async def _read_lasts(
    reader: TwoBucketReader, series: Mapping[str, Collection[str]], kinds: Collection[str], only: str | None
) -> dict[str, int]:
    """The time of the newest reading of each gateway that has one."""
    lasts = await reader.read_last_timestamps(kinds, LOOK_BACK[0], only)
    for span in LOOK_BACK[1:]:
        silent = series.keys() - lasts.keys()
        older = await asyncio.gather(
            *(reader.read_last_timestamps(series[gateway], span, gateway) for gateway in silent)
        )
        lasts |= {gateway: last for found in older for gateway, last in found.items()}
    return lasts

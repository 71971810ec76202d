"""The store for production: InfluxDB 2.7.

- `connection`: the one client of the server, its time-outs and errors, for everything below
- `tags`, `encode`: readings as line protocol; pure
- `answers`: what each answer of the server means; pure
- `client`: the store's requests, each within its deadline
- `writer`: writes, and the fate of each row
- `influxql`, `selection`: statements, and which of the answered readings are meant; pure
- `two_bucket_reader`, `queries`: what people ask
- `store`: `InfluxStore`, all of it behind the Protocol
- `setup/`: organisation, buckets and tokens
- `backup`: buckets saved and restored
"""

from receiver.stores.influxdb.store import InfluxStore

__all__ = ["InfluxStore"]

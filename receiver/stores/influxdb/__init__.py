"""The store for production: InfluxDB 2.7.

- `tags`, `encode`: readings as line protocol; pure
- `answers`: what each answer of the server means; pure
- `client`: the way to the server
- `writer`: writes, and the fate of each row
- `influxql`, `picking`: statements, and which of the answered readings are meant; pure
- `reading`, `queries`: what people ask
- `store`: `InfluxStore`, all of it behind the Protocol
"""

from receiver.stores.influxdb.store import InfluxStore

__all__ = ["InfluxStore"]

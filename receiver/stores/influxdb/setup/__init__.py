"""Setting up InfluxDB.

- `steps`: what `envoy-receiver setup` does, step by step
- `rights`: what a given token may do; only looks
- `management`: buckets, tokens and organisations of the server
- `tokens`: the files of the two tokens

A receiver that stores in SQLite imports nothing of this.
"""

from receiver.stores.influxdb.setup.management import InfluxManagement, SetupError
from receiver.stores.influxdb.setup.rights import check_version, find_problems
from receiver.stores.influxdb.setup.steps import set_up

__all__ = ["InfluxManagement", "SetupError", "check_version", "find_problems", "set_up"]

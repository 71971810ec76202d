"""Setting up InfluxDB: `work` does it, `rights` looks only, `server` talks to the database, `tokens` keeps the files.

Nothing of this is imported by a receiver that stores in SQLite.
"""

from receiver.stores.influxdb.setup.rights import faults, supported
from receiver.stores.influxdb.setup.server import InfluxManagement, SetupError
from receiver.stores.influxdb.setup.work import set_up

__all__ = ["InfluxManagement", "SetupError", "faults", "set_up", "supported"]

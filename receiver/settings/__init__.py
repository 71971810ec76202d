"""The settings of the receiver, each declared once, by a model that is also what the parts receive.

- `declarations`: the receiver itself
- `stores`: where readings are kept, `Sqlite | InfluxDB`
- `contacts`: who hears of alarms
- `outputs`: where outputs go
- `imports`: the login at what an import reads
- `source`: how a declared setting is found in the environment, in `.env` and in files of secrets
- `loading`: reads and checks all of it, at start
"""

from receiver.settings.contacts import ContactSettings
from receiver.settings.declarations import ReceiverSettings
from receiver.settings.imports import ImportSettings
from receiver.settings.loading import list_known_settings, load, load_contacts, load_import, load_outputs
from receiver.settings.outputs import EmonCmsSettings, LinesSettings, OutputSettings, PvOutputSettings
from receiver.settings.stores import InfluxDB, Sqlite

__all__ = [
    "ContactSettings",
    "EmonCmsSettings",
    "ImportSettings",
    "InfluxDB",
    "LinesSettings",
    "OutputSettings",
    "PvOutputSettings",
    "ReceiverSettings",
    "Sqlite",
    "list_known_settings",
    "load",
    "load_contacts",
    "load_import",
    "load_outputs",
]

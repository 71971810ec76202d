"""What an import needs besides its command line: the login at another database. No running service reads it."""

from typing import ClassVar

from receiver.settings.source import SecretText, SettingsModel


class ImportSettings(SettingsModel):
    """The login at an InfluxDB that is read once.

    Attributes:
        token: API token; USER:PASSWORD for InfluxDB 1.8; None: it wants none.
    """

    PREFIX: ClassVar[str] = "IMPORT_"

    token: SecretText = None

"""The settings of the scraper: declared once (`declarations`), read from the environment and `.env` (`loading`)."""

from scraper.settings.declarations import CloudSettings, GatewaySettings, ScraperSettings, UplinkSettings
from scraper.settings.loading import list_known_settings, load
from scraper.settings.secret import Secret

__all__ = [
    "CloudSettings",
    "GatewaySettings",
    "ScraperSettings",
    "Secret",
    "UplinkSettings",
    "list_known_settings",
    "load",
]

"""Reads the environment and `.env`, once, at start, and checks everything.

Errors name the setting and the remedy, never the value. An empty value counts as not set.
"""

import os
from pathlib import Path

from scraper.errors import ScraperSettingError
from scraper.settings.checks import gateway_problems, uplink_problems
from scraper.settings.declarations import GatewaySettings, ScraperSettings, UplinkSettings
from scraper.settings.values import build_group, convert_group, setting_names
from shared.environment import UnreadableSettingError, read_environment, unknown_settings

GROUPS = (GatewaySettings, UplinkSettings, ScraperSettings)


def known_settings() -> list[str]:
    """The names of all settings of the scraper, in the order of their declarations."""
    return [name for group in GROUPS for name in setting_names(group)]


def load() -> ScraperSettings:
    """Read and check the settings. Raises ScraperSettingError with one line per problem."""
    try:
        environment = read_environment()
    except UnreadableSettingError as error:
        raise ScraperSettingError(str(error)) from error
    problems = list(unknown_settings(environment, known_settings(), ScraperSettings.PREFIX, "scraper"))
    of_gateway, of_uplink, own = (convert_group(group, environment, problems) for group in GROUPS)
    _refuse(problems)
    gateway, receiver = GatewaySettings(**of_gateway), build_group(UplinkSettings, of_uplink)
    problems += gateway_problems(gateway, in_container=in_container())
    if receiver is not None:
        problems += uplink_problems(receiver)
    _refuse(problems)
    return ScraperSettings(gateway=gateway, receiver=receiver, **own)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ScraperSettingError("\n".join(problems))


def in_container() -> bool:
    """Whether this process runs in Docker, Podman or Kubernetes."""
    return (
        Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ
    )

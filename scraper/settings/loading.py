"""Reads the environment and `.env`, once, at start, and checks everything.

Errors name the setting and the remedy, never the value. An empty value counts as not set.
"""

import os
from pathlib import Path

from scraper.errors import ScraperSettingError
from scraper.settings.checks import find_cloud_problems, find_gateway_problems, find_uplink_problems
from scraper.settings.declarations import CloudSettings, GatewaySettings, ScraperSettings, UplinkSettings
from scraper.settings.values import build_group, convert_group, list_setting_names
from shared.environment import UnreadableSettingError, find_unknown_settings, read_environment
from shared.local_settings import add_local_settings

GROUPS = (GatewaySettings, CloudSettings, UplinkSettings, ScraperSettings)


def list_known_settings() -> list[str]:
    """The names of all settings of the scraper, in the order of their declarations."""
    return [name for group in GROUPS for name in list_setting_names(group)]


def load() -> ScraperSettings:
    """Read and check the settings. Raises ScraperSettingError with one line per problem."""
    try:
        environment = add_local_settings(read_environment(), "ENVOY_STATE_DIR")
    except UnreadableSettingError as error:
        raise ScraperSettingError(str(error)) from error
    problems = list(find_unknown_settings(environment, list_known_settings(), ScraperSettings.PREFIX, "scraper"))
    of_gateway, of_cloud, of_uplink, own = (convert_group(group, environment, problems) for group in GROUPS)
    _refuse(problems)
    gateway, cloud = GatewaySettings(**of_gateway), CloudSettings(**of_cloud)
    receiver = build_group(UplinkSettings, of_uplink)
    needs_gateway = own.get("source") != "cloud"
    problems += find_gateway_problems(gateway, in_container=is_in_container() and needs_gateway)
    problems += find_cloud_problems(cloud)
    if receiver is not None:
        problems += find_uplink_problems(receiver)
    _refuse(problems)
    return ScraperSettings(gateway=gateway, cloud=cloud, receiver=receiver, **own)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ScraperSettingError("\n".join(problems))


def is_in_container() -> bool:
    """Whether this process runs in Docker, Podman or Kubernetes."""
    return (
        Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ
    )

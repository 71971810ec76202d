"""The compose file as it stands, with the files that it includes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text()
RAW = yaml.safe_load(TEXT)
for name in RAW["include"]:
    included = yaml.safe_load((ROOT / name).read_text())
    TEXT += (ROOT / name).read_text()
    for part in ("services", "networks", "volumes", "secrets"):
        assert not RAW[part].keys() & included[part].keys(), "an engine takes a name from one file alone"
        RAW[part] |= included[part]
SERVICES: dict[str, dict[str, Any]] = RAW["services"]
HOSTED = {"influxdb", "setup", "receiver", "grafana", "proxy"}
GUARD = "relay-domain-must-be-set"
PROFILES = {
    "receiver": {"setup", "receiver"},
    "influxdb": {"influxdb"},
    "grafana": {"setup", "grafana"},
    "proxy": {"proxy", GUARD},
    "hosted": HOSTED | {GUARD},
    "edge": {"scraper"},
    "home": {"home-receiver", "home-scraper"},
    "admin": {"admin"},
    "demo": {f"demo-{name}" for name in (*HOSTED, "simulator", "scraper")},
}

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def find_default(text: str) -> str:
    """What stands behind `:-` in ${NAME:-default}."""
    return text.partition(":-")[2].rstrip("}")

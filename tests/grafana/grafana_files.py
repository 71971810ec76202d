"""How Grafana reads its provisioning files, as far as ours use it: a second reading of `pkg/services/provisioning`.

Values are replaced (`$NAME`, `${NAME}`, `$__file{PATH}`, `$$` for `$`) everywhere but in the queries of rules; a file
with another ending, and a contact point without what its integration needs, stop Grafana's start.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_EXPANDER = re.compile(r"\$(|__\w+)\{([^}]+)\}")
_PLAIN = re.compile(r"\$(\w+)")
_NEEDED = {"webhook": ("url",), "telegram": ("bottoken", "chatid")}


class GrafanaWouldNotStartError(Exception):
    """What Grafana would log before it ends."""


def interpolate(value: Any, environment: Mapping[str, str]) -> Any:
    """A value of a file after the replacement."""
    match value:
        case str():
            return "$".join(_expand(part, environment) for part in value.split("$$"))
        case list():
            return [interpolate(one, environment) for one in value]
        case dict():
            return {key: interpolate(one, environment) for key, one in value.items()}
    return value


def _expand(text: str, environment: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1] in {"", "__env"}:
            return environment.get(match[2], "")
        if match[1] == "__file":
            return Path(match[2]).read_text(encoding="utf-8").strip()
        return match[0]

    return _PLAIN.sub(lambda match: environment.get(match[1], ""), _EXPANDER.sub(replace, text))


def load_contact_points(
    folder: Path, environment: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The integrations and the policies that Grafana takes from `provisioning/alerting`."""
    receivers: list[dict[str, Any]] = []
    policies: list[dict[str, Any]] = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".yaml", ".yml", ".json"}:
            raise GrafanaWouldNotStartError(f"file has invalid suffix {path.name}")
        file = interpolate(yaml.safe_load(path.read_text(encoding="utf-8")), environment)
        for point in file.get("contactPoints", []):
            receivers += [{"name": point["name"], **receiver} for receiver in point["receivers"]]
        policies += file.get("policies", [])
    for receiver in receivers:
        if not receiver["uid"] or any(not receiver["settings"].get(key) for key in _NEEDED[receiver["type"]]):
            raise GrafanaWouldNotStartError(f"{receiver['uid']}: a required setting is missing")
    names = {receiver["name"] for receiver in receivers} | {"grafana-default-email"}
    for policy in policies:
        if policy["receiver"] not in names:
            raise GrafanaWouldNotStartError(f"receiver {policy['receiver']} does not exist")
    return receivers, policies

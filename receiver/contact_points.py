"""Grafana's contact points: the file that says where alarms go, made of channels whose settings are complete.

Grafana reads the file at its start. Its files know no conditions, and a contact point with an empty setting stops that
start. So without settings there is no file: Grafana then only shows alarms, and its own default receiver stays. Only
`write_contact_points` writes; everything else here is pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from receiver.errors import ReceiverSettingError
from shared.files import write_private

FILE = "contact-points.yaml"
NAME = "Envoy"
"""Name of the one contact point; every channel is an integration of it."""
UIDS = {"ntfy": "envoy-ntfy", "telegram": "envoy-telegram", "webhook": "envoy-webhook"}
"""Channel to the uid by which Grafana knows it; a uid never changes."""

_TITLE = '{{ .CommonLabels.alertname }}{{ if eq .Status "resolved" }} is over{{ end }}'
_LINES = (
    '{{ range .Alerts }}{{ if eq .Status "resolved" }}Over: {{ end }}{{ .Annotations.summary }}\n'
    "{{ .Annotations.description }}\n{{ end }}"
)
_FROM_BODY = "?tpl=yes&title=%7B%7B.title%7D%7D&message=%7B%7B.message%7D%7D"
"""Tells ntfy (2.10 and later) to take title and text out of the JSON that Grafana sends."""


@dataclass(frozen=True)
class Channel:
    """One way to send alarms to people.

    Attributes:
        name: A key of `UIDS`.
        type: Grafana's word for it.
        settings: As Grafana's integration takes them; secrets among them.
    """

    name: str
    type: str
    settings: dict[str, str | bool] = field(repr=False)


def make_ntfy_channel(url: str, token: str | None = None) -> Channel:
    """A topic of ntfy.

    Args:
        url: Server and topic, e.g. https://ntfy.sh/my-roof.
        token: Access token, where the topic needs one.
    """
    return Channel("ntfy", "webhook", _make_webhook_settings(url + _FROM_BODY, token))


def make_telegram_channel(bot_token: str, chat_id: str) -> Channel:
    """A chat with a bot of Telegram."""
    settings: dict[str, str | bool] = {
        "bottoken": bot_token,
        "chatid": chat_id,
        "message": f"{_TITLE}\n{_LINES}",
        "parse_mode": "None",
        "disable_web_page_preview": True,
    }
    return Channel("telegram", "telegram", settings)


def make_webhook_channel(url: str, token: str | None = None) -> Channel:
    """Grafana's JSON, posted to an address, with a bearer token if one is given."""
    return Channel("webhook", "webhook", _make_webhook_settings(url, token))


def _make_webhook_settings(url: str, token: str | None) -> dict[str, str | bool]:
    authorisation = {"authorization_scheme": "Bearer", "authorization_credentials": token} if token else {}
    return {"url": url, "httpMethod": "POST", **authorisation, "title": _TITLE, "message": _LINES}


def escape_dollar_signs(channel: Channel) -> Channel:
    """The channel with settings that Grafana reads as they are: it replaces `$NAME`, and a password may hold a `$`."""
    escaped = {
        key: value.replace("$", "$$") if isinstance(value, str) else value for key, value in channel.settings.items()
    }
    return Channel(channel.name, channel.type, escaped)


def build_document(channels: Sequence[Channel]) -> dict[str, Any]:
    """What Grafana reads: the channels, the policy that sends alarms to them, and the removal of all other channels.

    Without channels the document removes what an earlier file added.
    """
    used = {channel.name for channel in channels}
    unused = [{"orgId": 1, "uid": uid} for name, uid in UIDS.items() if name not in used]
    removal = {"deleteContactPoints": unused} if unused else {}
    if not channels:
        return {"apiVersion": 1, "resetPolicies": [1], **removal}
    return {"apiVersion": 1, "contactPoints": [_make_contact_point(channels)], "policies": [_make_policy()], **removal}


def build_template(channel: Channel) -> dict[str, Any]:
    """The document of one channel for people who place files by hand: without removals."""
    return {"apiVersion": 1, "contactPoints": [_make_contact_point([channel])], "policies": [_make_policy()]}


def _make_contact_point(channels: Sequence[Channel]) -> dict[str, Any]:
    receivers = [{"uid": UIDS[one.name], "type": one.type, "settings": one.settings} for one in channels]
    return {"orgId": 1, "name": NAME, "receivers": receivers}


def _make_policy() -> dict[str, Any]:
    return {
        "orgId": 1,
        "receiver": NAME,
        "group_by": ["grafana_folder", "alertname", "gateway"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
    }


def write_contact_points(folder: Path, channels: Sequence[Channel]) -> str:
    """Make the file in `folder` (Grafana's `provisioning/alerting`) agree with the channels.

    Without channels one run writes a file that removes the old contact points, and the next run, after Grafana has
    read that file, deletes it: it would also remove what people set up in Grafana themselves.

    Returns:
        A sentence for people: where alarms go now.

    Raises:
        ReceiverSettingError: The file cannot be written.
    """
    path, removal = folder / FILE, dump_yaml(build_document([]))
    try:
        present = path.read_text(encoding="utf-8") if path.exists() else None
        if channels:
            document = build_document([escape_dollar_signs(channel) for channel in channels])
            write_private(path, dump_yaml(document).encode())
            names = " and ".join(channel.name for channel in channels)
            return f"alarms: go to {names}; restart Grafana if that is new"
        if present not in {None, removal}:
            write_private(path, removal.encode())
            return "alarms: go to nobody any more; Grafana forgets the old contact points at its next start"
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ReceiverSettingError(
            f"{path} cannot be written ({error.strerror}): set GRAFANA_ALERTING_DIR to a directory of the user that "
            "runs this, or leave it out"
        ) from error
    return "alarms: shown in Grafana only (NTFY_URL, TELEGRAM_BOT_TOKEN or WEBHOOK_URL would send them)"


def dump_yaml(content: dict[str, Any]) -> str:
    """The file's text."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10_000)

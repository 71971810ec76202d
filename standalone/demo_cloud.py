"""The demo's cloud: the system of the simulated gateway as Enphase's API shows it, read by a scraper of its own."""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import yaml

from scraper.cloud.grant import GrantFile, OwnerGrant
from shared.clock import Clock
from standalone.directories import find_free_port
from standalone.errors import StandaloneError
from standalone.processes import ProcessGroup
from standalone.stack import LocalInstallation

_NAME = "cloud"
_FORM = {"email": "owner@example.com", "password": "sunny-roof", "approve": "yes"}
"""An owner of the simulated cloud, who belongs to nobody."""


class AnnouncedApplication(msgspec.Struct):
    """The keys of the application that the simulator knows."""

    api_key: str
    client_id: str
    client_secret: str


class AnnouncedCloud(msgspec.Struct):
    """What the simulator says of its cloud."""

    url: str
    ca_file: str
    system: int
    application: AnnouncedApplication


def plan_cloud(
    installation: LocalInstallation, cloud: AnnouncedCloud, state_dir: Path
) -> tuple[LocalInstallation, dict[str, str]]:
    """The installation with a second gateway, which is the system, and the environment of its scraper."""
    system = f"system-{cloud.system}"
    environment = {**installation.environment, "RECEIVER_GATEWAYS": f"{installation.serial},{system}"}
    sites = Path(environment["RECEIVER_SITES_FILE"])
    described = yaml.safe_load(sites.read_text(encoding="utf-8"))
    described[system] = {
        "name": "The same roof, from the cloud",
        "time_zone": described[installation.serial]["time_zone"],
    }
    sites.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    port = find_free_port()
    own = {
        "SSL_CERT_FILE": cloud.ca_file,
        "ENVOY_SOURCE": "cloud",
        "ENVOY_CLOUD_SYSTEM": str(cloud.system),
        "ENVOY_CLOUD_API_URL": cloud.url,
        **{f"ENVOY_CLOUD_{name.upper()}": key for name, key in msgspec.structs.asdict(cloud.application).items()},
        "ENVOY_RECEIVER_URL": installation.url,
        "ENVOY_RECEIVER_SECRET": environment["ENVOY_RECEIVER_SECRET"],
        "ENVOY_STATE_DIR": str(state_dir),
        "ENVOY_STATUS_PORT": str(port),
    }
    gateways, others = (installation.serial, system), {f"{system} ({_NAME})": port}
    return replace(installation, environment=environment, gateways=gateways, others=others), own


async def _authorise(cloud: AnnouncedCloud, state_dir: Path, clock: Clock) -> None:
    """What an owner does once in the browser, and what `cloud authorise` keeps. Raises StandaloneError."""
    redirect = {"redirect_uri": f"{cloud.url}/oauth/redirect_uri"}
    context = ssl.create_default_context(cafile=cloud.ca_file)
    login = (cloud.application.client_id, cloud.application.client_secret)
    try:
        async with httpx.AsyncClient(base_url=cloud.url, verify=context, trust_env=False) as browser:
            sent = await browser.post("/oauth/authorize", data=_FORM | redirect)
            code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
            form = {"grant_type": "authorization_code", "code": code} | redirect
            pair = (await browser.post("/oauth/token", data=form, auth=login)).json()
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise StandaloneError(f"the simulated cloud gives no approval ({type(error).__name__})") from error
    now_s = clock.now_ms() // 1000
    GrantFile(state_dir).save(
        OwnerGrant(
            access=pair["access_token"],
            refresh=pair["refresh_token"],
            expires_at=now_s + pair["expires_in"],
            obtained_at=now_s,
            client_id=cloud.application.client_id,
        )
    )


async def start_cloud_scraper(
    group: ProcessGroup, cloud: AnnouncedCloud, environment: Mapping[str, str], clock: Clock
) -> None:
    """Let the owner approve, and start the scraper of the system. Raises StandaloneError."""
    await _authorise(cloud, Path(environment["ENVOY_STATE_DIR"]), clock)
    await group.start(f"scraper-{_NAME}", "scraper", "run", environment=environment)

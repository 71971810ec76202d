"""What the scraper's settings must be beyond their types, as sentences that name the setting and the remedy."""

import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from scraper.addresses import is_loopback
from scraper.errors import ScraperSettingError
from scraper.settings.declarations import DISCOVER, CloudSettings, GatewaySettings, UplinkSettings
from scraper.settings.secret import Secret
from shared.exposure import find_exposed_secret
from shared.secret_strength import find_weakness

_DEVICES = re.compile(r"/[1-9]\d{0,11}/(inv|met)/[^/=,\s]+\s*=\s*[^\s,=][^,=]*", re.IGNORECASE)
_MOST_LAG = timedelta(days=7)
_NAME = re.compile(r"[0-9A-Za-z._-]{1,253}")


def find_gateway_problems(gateway: GatewaySettings, *, in_container: bool) -> Iterator[str]:
    """What is wrong with the settings of the gateway."""
    if gateway.host is None and in_container:
        yield (
            "ENVOY_HOST is not set: inside a container the gateway cannot be found by itself, because mDNS does not "
            "reach containers; set ENVOY_HOST to the gateway's address (your router lists it as 'envoy'), or to "
            f"{DISCOVER} if the container shares the network of its host"
        )
    if gateway.host is not None and not _is_host(gateway.host):
        yield "ENVOY_HOST must be a host name or an IP address, without http://, port and path"
    secrets = (gateway.token, gateway.cloud_username, gateway.cloud_password, gateway.installer_password)
    yield from filter(None, map(find_exposure, secrets))
    for name, url in (("ENVOY_CLOUD_URL", gateway.cloud_url), ("ENVOY_TOKEN_URL", gateway.token_url)):
        if not url.startswith("https://"):
            yield f"{name} must begin with https://: account passwords are never sent over plain http"


def find_cloud_problems(cloud: CloudSettings) -> Iterator[str]:
    """What is wrong with the settings of the cloud source that are set."""
    yield from filter(None, map(find_exposure, (cloud.api_key, cloud.client_id, cloud.client_secret)))
    if (url := _split(cloud.api_url)) is None or url.scheme != "https":
        yield "ENVOY_CLOUD_API_URL must begin with https://, without path or query: keys and tokens are sent there"
    if not timedelta() < cloud.max_lag <= _MOST_LAG:
        yield "ENVOY_CLOUD_MAX_LAG must be above 0 and at most P7D"
    if not all(_DEVICES.fullmatch(one.strip()) for one in cloud.devices.split(",") if one.strip()):
        yield "ENVOY_CLOUD_DEVICES must look like /4711023/inv/sys=roof, /4711023/met/sys=meter"


def find_missing_keys(cloud: CloudSettings) -> Iterator[str]:
    """A sentence for each key of the application that is not set."""
    for name, secret in (
        ("API_KEY", cloud.api_key),
        ("CLIENT_ID", cloud.client_id),
        ("CLIENT_SECRET", cloud.client_secret),
    ):
        if not secret.is_set:
            yield (
                f"ENVOY_CLOUD_{name} is not set: copy it from your application at developer-v4.enphase.com "
                "(docs/cloud.md says how to register one)"
            )


def find_uplink_problems(receiver: UplinkSettings) -> Iterator[str]:
    """What is wrong with the settings of the way to the receiver."""
    url = _split(receiver.url)
    if url is None:
        yield "ENVOY_RECEIVER_URL must look like https://receiver.example.org, without user name, password or query"
    elif url.scheme == "http" and not is_loopback(url.hostname or "") and not receiver.insecure:
        yield (
            "ENVOY_RECEIVER_URL is plain http to another machine: anybody on the way could read and alter your data; "
            "use https, or set ENVOY_RECEIVER_INSECURE=true if the network between the two is yours alone"
        )
    if not receiver.secret.is_set:
        return
    if receiver.key_file is not None:
        yield "ENVOY_RECEIVER_SECRET and ENVOY_RECEIVER_KEY_FILE are both set: remove one of them"
        return
    try:
        read_usable_secret(receiver.secret)
    except ScraperSettingError as error:
        yield str(error)


def find_exposure(secret: Secret) -> str | None:
    """A sentence if others may write or read the file of a secret that is needed only later."""
    exposed = None if secret.path is None else find_exposed_secret(secret.path.expanduser())
    return None if exposed is None else f"{secret.setting}_FILE: {exposed}"


def read_usable_secret(secret: Secret) -> str:
    """The household secret as it is now. Raises ScraperSettingError if it cannot be read or is weak."""
    text = secret() or ""
    if (weakness := find_weakness(text.encode())) is not None:
        raise ScraperSettingError(
            f"ENVOY_RECEIVER_SECRET {weakness}: make one with `openssl rand -hex 32` and give the same to the receiver "
            "as RECEIVER_SECRET"
        )
    return text


def _is_host(text: str) -> bool:
    """Whether it is a name or an address; a colon stands only in an IPv6 address."""
    bare = text.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return _NAME.fullmatch(bare) is not None
    return True


def _split(text: str) -> SplitResult | None:
    """The parts of a plain base address; None if it is something else."""
    try:
        url = urlsplit(text)
        port_is_good = url.port != 0
    except ValueError:
        return None
    extras = url.username or url.password or url.query or url.fragment
    return url if port_is_good and url.scheme in ("http", "https") and url.hostname and not extras else None

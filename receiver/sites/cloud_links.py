"""Which gateway is the same system as one of the cloud, by the key `cloud` of the sites file. Pure."""

from collections.abc import Iterator

from receiver.sites.model import Sites
from shared.cloud_identity import is_cloud_system


def find_linked_gateway(sites: Sites, system: str) -> str | None:
    """The serial of the gateway that a system of the cloud is linked to; None for none."""
    return next((serial for serial, site in sites.items() if site.cloud == system), None)


def find_wrong_links(sites: Sites) -> Iterator[str]:
    """A sentence for each link that would fill the energies of one roof into another, or into themselves."""
    linked: dict[str, list[str]] = {}
    for serial, site in sorted(sites.items()):
        if site.cloud is None:
            continue
        if is_cloud_system(serial):
            yield (
                f"gateway {serial}, cloud: is a system of the cloud itself: write 'cloud: {serial}' into the entry of "
                "the gateway at home"
            )
        else:
            linked.setdefault(site.cloud, []).append(serial)
    for system, serials in linked.items():
        if len(serials) > 1:
            yield (
                f"gateways {' and '.join(serials)}, cloud: each is linked to {system}, whose energies are of all "
                "gateways together; leave cloud to one that is the only gateway of its system"
            )

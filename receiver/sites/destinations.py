"""Places outside where values would be wrong: written over by another gateway's, or at another time."""

from collections.abc import Iterator

from receiver.sites.model import Sites


def find_wrong_places(sites: Sites) -> Iterator[str]:
    """A sentence for each place that more than one gateway names as its own, and for each that lacks a time zone.

    A node of panels may be the same for all: its names are the serials of the panels.
    """
    nodes: dict[str, list[str]] = {}
    systems: dict[int, list[str]] = {}
    for serial, site in sorted(sites.items()):
        if site.outputs.emoncms is not None:
            nodes.setdefault(site.outputs.emoncms.node, []).append(serial)
        if site.outputs.pvoutput is not None:
            systems.setdefault(site.outputs.pvoutput.system, []).append(serial)
            if site.time_zone is None:  # of a container it is UTC, and PVOutput takes local times without a zone
                yield (
                    f"gateway {serial}, outputs, pvoutput: needs time_zone beside outputs, the one that the system has "
                    "at PVOutput"
                )
    for node, serials in nodes.items():
        if len(serials) > 1:
            yield (
                f"gateways {' and '.join(serials)}, outputs, emoncms, node: each writes to {node}, where their phases "
                "have the same names; give each a node of its own"
            )
    for system, serials in systems.items():
        if len(serials) > 1:
            yield (
                f"gateways {' and '.join(serials)}, outputs, pvoutput, system: each writes to system {system}, which "
                "holds one value at a time; give each a system of its own, or take pvoutput away from all but one"
            )

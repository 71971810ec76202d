"""Where several gateways would write over each other's values. Pure."""

from collections.abc import Iterator

from receiver.sites.model import Sites


def find_collisions(sites: Sites) -> Iterator[str]:
    """A sentence for each place outside that more than one gateway names as its own.

    A node of panels may be the same for all: its names are the serials of the panels.
    """
    nodes: dict[str, list[str]] = {}
    systems: dict[int, list[str]] = {}
    for serial, site in sorted(sites.items()):
        if site.outputs.emoncms is not None:
            nodes.setdefault(site.outputs.emoncms.node, []).append(serial)
        if site.outputs.pvoutput is not None:
            systems.setdefault(site.outputs.pvoutput.system, []).append(serial)
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

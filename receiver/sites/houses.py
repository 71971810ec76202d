"""Which gateways form one site, by the key `site` of the sites file. Pure."""

from collections.abc import Iterator, Sequence

from receiver.sites.model import Site, Sites


def group_by_site(sites: Sites) -> dict[str, list[str]]:
    """The serials of the gateways of each site that has a name, both in order."""
    found: dict[str, list[str]] = {}
    for serial, entry in sorted(sites.items()):
        if entry.site is not None:
            found.setdefault(entry.site, []).append(serial)
    return dict(sorted(found.items()))


def find_contradictions(sites: Sites) -> Iterator[str]:
    """A sentence for each site whose gateways would cut its days or its billing months at different times."""
    for name, serials in group_by_site(sites).items():
        gateways = f"gateways {' and '.join(serials)}, site {name}"
        if len({sites[serial].time_zone for serial in serials} - {None}) > 1:
            yield f"{gateways}: must have the same time_zone, for one house lies in one zone"
        if len(_list_billing_days([sites[serial] for serial in serials])) > 1:
            yield f"{gateways}: must have the same billing_day"


def choose_billing_day(entries: Sequence[Site]) -> int:
    """The day of the month on which a billing month of a house begins: as one of its gateways says."""
    return min(_list_billing_days(entries), default=1)


def _list_billing_days(entries: Sequence[Site]) -> set[int]:
    return {entry.billing_day for entry in entries if "billing_day" in entry.model_fields_set}

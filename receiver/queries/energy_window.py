"""One window of a site's energy, as it is built, answered and published."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, with_config

from receiver.calendar.labels import WindowEntry, describe_window
from receiver.rollups.series import read_number
from receiver.stores.kinds import ENERGY_QUANTITIES
from shared.readings import FieldValue


@with_config(ConfigDict(extra="forbid"))
class EnergyWindow(WindowEntry):
    """One window. Energies in Wh, each at least 0; null is unknown."""

    production_wh: Annotated[float | None, Field(description="Generated, Wh.")]
    load_wh: Annotated[float | None, Field(description="Used by the house, Wh.")]
    imported_wh: Annotated[float | None, Field(description="Bought from the grid, Wh.")]
    exported_wh: Annotated[float | None, Field(description="Sold to the grid, Wh.")]
    discharged_wh: Annotated[float | None, Field(description="Out of the battery, Wh.")]
    charged_wh: Annotated[float | None, Field(description="Into the battery, Wh.")]
    self_consumption: Annotated[
        float | None,
        Field(description="Share of the production that was used at home, 0 to 1, over the time with known export."),
    ]
    self_sufficiency: Annotated[
        float | None,
        Field(description="Share of the load that was not bought, 0 to 1, over the time with known import."),
    ]
    cost: Annotated[
        float | None, Field(description="Price of the imported energy by the site's tariffs, in their currency.")
    ]
    feed_in: Annotated[float | None, Field(description="Payment for the exported energy.")]
    savings: Annotated[float | None, Field(description="What the energy produced and used at home would have cost.")]
    production_coverage: Annotated[
        float, Field(description="Share of the whole window, 0 to 1, in which it is known when that energy flowed.")
    ]
    load_coverage: Annotated[float, Field(description="The same of the load.")]
    imported_coverage: Annotated[float, Field(description="The same of the imported energy.")]
    exported_coverage: Annotated[float, Field(description="The same of the exported energy.")]
    discharged_coverage: Annotated[float, Field(description="The same of the discharged energy.")]
    charged_coverage: Annotated[float, Field(description="The same of the charged energy.")]
    production_unallocated_wh: Annotated[
        float,
        Field(
            description="Further energy of gaps that end in this window and began before it, Wh: a coarser window that "
            "holds the whole gap counts it."
        ),
    ]
    load_unallocated_wh: Annotated[float, Field(description="The same of the load, Wh.")]
    imported_unallocated_wh: Annotated[float, Field(description="The same of the imported energy, Wh.")]
    exported_unallocated_wh: Annotated[float, Field(description="The same of the exported energy, Wh.")]
    discharged_unallocated_wh: Annotated[float, Field(description="The same of the discharged energy, Wh.")]
    charged_unallocated_wh: Annotated[float, Field(description="The same of the charged energy, Wh.")]
    production_taken_over_wh: Annotated[
        float | None,
        Field(
            description="The part of `production_wh` that nobody measured here: it was imported from another program, "
            "and the coverage does not count it. Null for none."
        ),
    ]
    load_taken_over_wh: Annotated[float | None, Field(description="The same of the load.")]
    imported_taken_over_wh: Annotated[float | None, Field(description="The same of the energy bought.")]
    exported_taken_over_wh: Annotated[float | None, Field(description="The same of the energy sold.")]
    discharged_taken_over_wh: Annotated[float | None, Field(description="The same of the discharged energy.")]
    charged_taken_over_wh: Annotated[float | None, Field(description="The same of the charged energy.")]
    production_filled_wh: Annotated[
        float | None,
        Field(
            description="The part of `production_wh` that the linked system of the cloud has put into this window: the "
            "energy of a gap, or the cloud's own where no counter says more. The coverage does not count it. Null for "
            "none."
        ),
    ]
    load_filled_wh: Annotated[float | None, Field(description="The same of the load.")]
    imported_filled_wh: Annotated[float | None, Field(description="The same of the energy bought.")]
    exported_filled_wh: Annotated[float | None, Field(description="The same of the energy sold.")]
    discharged_filled_wh: Annotated[float | None, Field(description="The same of the discharged energy.")]
    charged_filled_wh: Annotated[float | None, Field(description="The same of the charged energy.")]
    unallocated_since: Annotated[
        int | None, Field(description="Where the earliest of those gaps began, milliseconds since 1970.")
    ]
    resets: Annotated[int, Field(description="Steps in which a lifetime counter fell or jumped; they gave no energy.")]


COLUMNS: Final = tuple(EnergyWindow.__annotations__)
"""What each window has, in this order."""


def describe_energy(fields: dict[str, FieldValue], start: int, stop: int, zone: ZoneInfo, now_ms: int) -> EnergyWindow:
    """One window as readers see it; what is not known is None, and its coverage 0.

    Args:
        fields: The stored or summed roll-up of the window; empty for none.
        start: First millisecond of it (UTC).
        stop: Its end, not part of it (UTC milliseconds).
        zone: In which `local_start` is written.
        now_ms: UTC milliseconds.
    """

    def read_known(name: str) -> float:
        return read_number(fields, name) or 0.0

    # A quarter hour whose gaps are all filled in names their begin still.
    has_unallocated = any(read_known(f"{name}_unallocated") > 0 for name in ENERGY_QUANTITIES)
    since = read_number(fields, "unallocated_since") if has_unallocated else None
    return {
        **describe_window(start, stop, zone, now_ms),
        "production_wh": read_number(fields, "production"),
        "load_wh": read_number(fields, "load"),
        "imported_wh": read_number(fields, "imported"),
        "exported_wh": read_number(fields, "exported"),
        "discharged_wh": read_number(fields, "discharged"),
        "charged_wh": read_number(fields, "charged"),
        "self_consumption": read_number(fields, "self_consumption"),
        "self_sufficiency": read_number(fields, "self_sufficiency"),
        "cost": read_number(fields, "cost"),
        "feed_in": read_number(fields, "feed_in"),
        "savings": read_number(fields, "savings"),
        "production_coverage": read_known("production_coverage"),
        "load_coverage": read_known("load_coverage"),
        "imported_coverage": read_known("imported_coverage"),
        "exported_coverage": read_known("exported_coverage"),
        "discharged_coverage": read_known("discharged_coverage"),
        "charged_coverage": read_known("charged_coverage"),
        "production_unallocated_wh": read_known("production_unallocated"),
        "load_unallocated_wh": read_known("load_unallocated"),
        "imported_unallocated_wh": read_known("imported_unallocated"),
        "exported_unallocated_wh": read_known("exported_unallocated"),
        "discharged_unallocated_wh": read_known("discharged_unallocated"),
        "charged_unallocated_wh": read_known("charged_unallocated"),
        "production_taken_over_wh": read_number(fields, "production_taken_over"),
        "load_taken_over_wh": read_number(fields, "load_taken_over"),
        "imported_taken_over_wh": read_number(fields, "imported_taken_over"),
        "exported_taken_over_wh": read_number(fields, "exported_taken_over"),
        "discharged_taken_over_wh": read_number(fields, "discharged_taken_over"),
        "charged_taken_over_wh": read_number(fields, "charged_taken_over"),
        "production_filled_wh": read_number(fields, "production_filled"),
        "load_filled_wh": read_number(fields, "load_filled"),
        "imported_filled_wh": read_number(fields, "imported_filled"),
        "exported_filled_wh": read_number(fields, "exported_filled"),
        "discharged_filled_wh": read_number(fields, "discharged_filled"),
        "charged_filled_wh": read_number(fields, "charged_filled"),
        "unallocated_since": None if since is None else round(since),
        "resets": round(read_known("resets")),
    }

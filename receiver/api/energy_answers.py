"""What is answered about a site's energy: the type is built by its route and published as it stands."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.calendar.windows import Every
from receiver.queries.energy_window import EnergyWindow


class EnergyHead(TypedDict):
    """What stands before the windows of an `EnergyTable`."""

    gateway: Annotated[str, Field(description="Serial.")]
    every: Annotated[Every, Field(description="Length of the windows.")]
    time_zone: Annotated[str, Field(description="The time zone whose calendar the windows follow.")]
    total: Annotated[
        EnergyWindow,
        Field(description="The sum over all windows, with what gaps between two of them gave."),
    ]


@with_config(ConfigDict(extra="forbid"))
class EnergyTable(EnergyHead):
    """The energy of a range."""

    windows: Annotated[
        list[EnergyWindow],
        Field(description="Every whole window that touches the range, up to the one in progress."),
    ]

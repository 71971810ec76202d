"""What is answered about a site's energy: the type is built by its route and published as it stands."""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.calendar.shifts import Earlier
from receiver.calendar.windows import Every
from receiver.queries.comparison import EnergyChanges
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


class EarlierHead(TypedDict):
    """What stands before the windows of `EarlierEnergy`."""

    which: Annotated[Earlier, Field(description="`before` or `year`, as it was asked for.")]
    compared_windows: Annotated[
        int,
        Field(
            description="So many windows of the range are over and count for `changes`; of the earlier time the same "
            "number from its first on, or all of them once the range is over."
        ),
    ]
    changes: Annotated[
        EnergyChanges,
        Field(description="Energy by length of time beside the earlier one, where 95 % of both times are known."),
    ]
    total: Annotated[EnergyWindow, Field(description="The sum over all windows of the earlier time.")]


@with_config(ConfigDict(extra="forbid"))
class EarlierEnergy(EarlierHead):
    """The energy of the earlier time, whole."""

    windows: Annotated[list[EnergyWindow], Field(description="Its windows, of the same calendar.")]


@with_config(ConfigDict(extra="forbid"))
class EnergyTable(EnergyHead):
    """The energy of a range."""

    windows: Annotated[
        list[EnergyWindow],
        Field(description="Every whole window that touches the range, up to the one in progress."),
    ]
    compared: NotRequired[Annotated[EarlierEnergy, Field(description="The earlier time that `compare` asked for.")]]

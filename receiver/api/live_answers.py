"""What the events of the live stream carry; published as the parts of its answer, so that clients have their types."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.live.solar import SolarData
from shared.readings import FieldValue


@with_config(ConfigDict(extra="forbid"))
class LiveReading(TypedDict):
    """Data of the event `reading`: a reading as it was stored, without the corrections of the sites file.

    The hub sends the reading itself (`shared.readings.Reading`), which knows nothing of the API: a test compares them.
    """

    kind: Annotated[str, Field(description="What it is of: a kind of the field dictionary.")]
    tags: Annotated[dict[str, str], Field(description="What it belongs to, e.g. meter and phase.")]
    timestamp: Annotated[int, Field(description="Milliseconds since 1970.")]
    fields: Annotated[
        dict[str, FieldValue],
        Field(description="What changed, in the units of the field dictionary."),
    ]


@with_config(ConfigDict(extra="forbid"))
class EndedView(TypedDict):
    """Data of the event `ended`, the last one of a stream."""

    reason: Annotated[
        str,
        Field(
            description="`unauthorised`, `forbidden`, `not-found` are final; come back after `too-slow` or `stopping`."
        ),
    ]


LiveEventData = LiveReading | SolarData | EndedView
"""The data of any event: `reading`, `solar_data` or `ended`."""

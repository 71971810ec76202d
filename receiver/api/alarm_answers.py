"""What is answered about alarms: built by its route and published as it stands."""

import json
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.states import AlarmKey, AlarmState


@with_config(ConfigDict(extra="forbid"))
class AlarmEntry(TypedDict):
    """One alarm. Times are in milliseconds since 1970."""

    alarm: Annotated[
        str,
        Field(
            description="Which alarm it is; see docs/alarms.md.",
            json_schema_extra={"enum": list(DEFINITIONS)},  # the page has words in other languages for each
        ),
    ]
    title: Annotated[str, Field(description="Its name for people.")]
    severity: Annotated[Literal["critical", "warning"], Field(description="A critical one is told at any hour.")]
    gateway: Annotated[str | None, Field(description="Serial; null if it is about the receiver itself.")]
    subject: Annotated[str | None, Field(description="The panel, phase, battery or disk that it is about, or null.")]
    state: Annotated[
        Literal["pending", "firing", "ended"],
        Field(description="`pending` until it has lasted long enough, then `firing`, then `ended` for a week."),
    ]
    reason: Annotated[str, Field(description="What is (or was) wrong, as a sentence.")]
    values: Annotated[
        dict[str, float | str],
        Field(description="What the reason says, by names that end in the unit, for other languages; not in CSV."),
    ]
    advice: Annotated[str, Field(description="What to do.")]
    since: Annotated[int, Field(description="Since when it has been so, as far as is known.")]
    began: Annotated[int | None, Field(description="When it began to fire, or null.")]
    ended: Annotated[int | None, Field(description="When it ended, or null.")]
    judged: Annotated[
        int, Field(description="When it was last judged: what cannot be judged now stays as it was then.")
    ]


def describe_alarm(key: AlarmKey, state: AlarmState) -> AlarmEntry | None:
    """One alarm as readers see it; None for one of another version of this program."""
    definition = DEFINITIONS.get(key.alarm)
    if definition is None:
        return None
    words = definition.choose_words(key.gateway)
    is_pending = state.phase == "pending"
    return {
        "alarm": key.alarm,
        "title": words.title,
        "severity": definition.severity.value,
        "gateway": key.gateway or None,
        "subject": key.subject or None,
        "state": state.phase.value,
        "reason": state.reason,
        "values": json.loads(state.values),
        "advice": words.advice,
        "since": state.since,
        "began": None if is_pending else state.began,
        "ended": None if is_pending else state.ended,
        "judged": state.judged,
    }

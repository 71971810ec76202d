"""What every mapping in the sites file has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


def make_sentence_error(text: str) -> PydanticCustomError:
    """An error whose message is shown as it is."""
    return PydanticCustomError("sentence", "{text}", {"text": text})


class SitePart(BaseModel):
    """A mapping in the file: unknown keys are refused, a key without a value counts as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:
        if data is None:
            return {}
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}
        return data

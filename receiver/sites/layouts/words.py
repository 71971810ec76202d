"""What a layout says of panels, checked as the sites file checks it. Pure."""

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import ValidationError

from receiver.sites.load import find_rule
from receiver.sites.model import Site, SitePanel

PastedWords: TypeAlias = dict[str, str | int | float | None]
"""Of one panel: what the layout says. A key that it does not have is absent."""
PastedPanels: TypeAlias = Mapping[str, PastedWords]
"""By the serial of the inverter, in the order of the layout."""


class LayoutError(ValueError):
    """The layout cannot be used; the message is a sentence that names the place in it, and nothing that it holds."""


def check_words(panels: PastedPanels) -> PastedPanels:
    """The same, once it is known that the sites file could say it. Raises LayoutError."""
    for number, (serial, words) in enumerate(panels.items(), 1):
        try:
            Site(panels={serial: SitePanel.model_validate({**words, "row": None, "column": None})})
            SitePanel.model_validate(words)
        except ValidationError as error:
            raise LayoutError(f"panel {number}: {_explain(error)}") from error
    try:
        Site(panels={serial: SitePanel.model_validate(words) for serial, words in panels.items()})
    except ValidationError as error:
        raise LayoutError(_explain(error)) from error
    return panels


def _explain(error: ValidationError) -> str:
    """What is wrong with the first word that is: the rule, never the value."""
    first = error.errors(include_input=False)[0]
    if first["type"] == "sentence":
        return f"its serial {first['msg']}" if "[key]" in first["loc"] else first["msg"]
    name = str(first["loc"][-1])
    return f"{name} {find_rule(name) or first['msg']}"

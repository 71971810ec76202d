"""What a layout says of panels, checked as the sites file checks it. Pure."""

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import ValidationError

from receiver.sites.model import Site, SitePanel

PastedWords: TypeAlias = dict[str, str | int | float | None]
"""Of one panel: what the layout says. A key that it does not have is absent."""
PastedPanels: TypeAlias = Mapping[str, PastedWords]
"""By the serial of the inverter, in the order of the layout."""


class LayoutError(ValueError):
    """The layout cannot be used; the message is a sentence that names the place in it, and nothing that it holds."""


def check_words(panels: PastedPanels) -> PastedPanels:
    """The same, once it is known that the sites file could say it. Raises LayoutError."""
    try:
        Site(panels={serial: SitePanel.model_validate(words) for serial, words in panels.items()})
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "sentence":
            raise LayoutError(first["msg"]) from error
        names = ", ".join(str(part) for part in first["loc"])
        raise LayoutError(f"{names}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error
    return panels

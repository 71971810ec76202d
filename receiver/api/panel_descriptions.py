"""From what is known of a panel to what is answered about it."""

from collections.abc import Mapping
from typing import Final, cast

from receiver.api.gateway_answers import InverterStates
from receiver.api.inverter_answers import InverterEntry, PanelData, PanelDay, PanelEnergyEntry, PanelPlace
from receiver.api.latest import describe_latest
from receiver.calendar.labels import WindowEntry
from receiver.queries import panels
from receiver.queries.panels import PanelState, PanelWindows
from receiver.sites import Site
from receiver.stores.base import Latest
from shared.fields import REPORT_SPEAKS_MS

PLACE: Final = tuple(PanelPlace.__annotations__)
"""The names of `PanelPlace`, in the order of tables."""


def describe_panel(inverter: str, last: Latest | None, state: PanelState, site: Site, now_ms: int) -> InverterEntry:
    """One panel as readers see it.

    Args:
        inverter: Serial of its inverter.
        last: Latest values of the inverter, or None if it never reported. The gate before the store has let in only
            fields of the dictionary, which are those of `InverterEntry`.
        state: How the panel is.
        site: What the sites file says of it.
        now_ms: UTC milliseconds.
    """
    values: Mapping[str, object] = {"inverter": inverter, "timestamp": None, "age_seconds": None, "speaks": False}
    if last is not None:
        values = describe_latest(last, now_ms, REPORT_SPEAKS_MS)
    return cast("InverterEntry", {**values, "state": state, **describe_panel_place(site, inverter)})


def describe_panel_place(site: Site, inverter: str) -> PanelPlace:
    """What the sites file says of the place of a panel."""
    panel = site.panels.get(inverter)
    return cast("PanelPlace", panel.model_dump(include=set(PLACE), exclude_none=True) if panel else {})


def describe_panel_data(site: Site, inverter: str) -> PanelData:
    """Everything that the sites file says of a panel."""
    panel = site.panels.get(inverter)
    return cast("PanelData", panel.model_dump(exclude_none=True) if panel else {})


def count_states(latest: list[Latest], site: Site, now_ms: int) -> InverterStates:
    """How many panels are in each state, from the latest values of kind `inverter`; `now_ms` in UTC milliseconds."""
    found = [now.state for now in panels.describe_panels(latest, site, now_ms).values()]
    return {
        "producing": found.count(PanelState.PRODUCING),
        "idle": found.count(PanelState.IDLE),
        "silent": found.count(PanelState.SILENT),
        "gone": found.count(PanelState.GONE),
    }


def describe_panel_energy(panel: PanelWindows, site: Site, ratio: float | None) -> PanelEnergyEntry:
    """One panel in all windows as readers see it, with its energy by that of its peers."""
    return {
        "inverter": panel.inverter,
        **describe_panel_place(site, panel.inverter),
        "total_wh": panel.total_wh,
        "ratio": ratio,
        "energy_wh": panel.energy_wh,
        "coverage": panel.coverage,
    }


def describe_panel_day(label: WindowEntry, fields: Mapping[str, float]) -> PanelDay:
    """One day of a panel as readers see it.

    Args:
        label: The day.
        fields: Its roll-up, of kind `panel_1d`.
    """
    last = fields.get("last_report")
    return {
        **label,
        "energy_wh": fields.get("energy"),
        "peers_wh": fields.get("peers"),
        "ratio": fields.get("ratio"),
        "peak_w": fields.get("peak"),
        "clipping_minutes": fields.get("clipping_minutes"),
        "coverage": fields.get("coverage", 0.0),
        "reports": round(fields.get("reports", 0.0)),
        "last_timestamp": None if last is None else round(last),
    }

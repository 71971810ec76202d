"""Facts about panels, phases, meters, batteries and grid to conditions. Pure."""

from collections.abc import Iterator

from receiver.alarms import limits
from receiver.alarms.definitions import (
    BATTERY_SILENT,
    GRID_LOST,
    METER_CONTRADICTS,
    PANEL_DEAD,
    PANEL_WEAK,
    PHASE_VOLTAGE,
)
from receiver.alarms.facts import Condition, GatewayFacts, PanelQuarters, PanelRatios, PhaseVoltage, ReasonValue
from shared.agreement import COMPARED_FROM_W, differ_by_half
from shared.readings import FieldValue


def judge_house(facts: GatewayFacts) -> Iterator[Condition]:
    """Every condition that is not about gateway and scraper."""
    for quarters in facts.quarters:
        yield _judge_dead_panel(facts.gateway, quarters)
    for ratios in facts.ratios:
        yield _judge_weak_panel(facts.gateway, ratios)
    for voltage in facts.voltages:
        yield _judge_voltage(facts.gateway, voltage)
    yield _judge_meter(facts)
    for entry in facts.batteries:
        is_young = facts.now_ms - entry.timestamp <= limits.STATE_SPEAKS_S * 1000
        talks = entry.fields.get("communicating") if is_young else None
        yield _judge_battery(facts.gateway, entry.tags["battery"], talks)
    yield _judge_grid(facts)


def find_nominal(highest_v: float) -> float:
    """The nominal voltage of the grid of a phase, by its highest hour of a week."""
    high, low = limits.NOMINAL_V
    return high if highest_v >= limits.HALFWAY_V else low


def _judge_dead_panel(gateway: str, panel: PanelQuarters) -> Condition:
    """Fewer quarter hours of daylight than are needed say nothing: a day of snow is no end."""
    last = panel.dead[-limits.PANEL_DEAD_QUARTERS :]
    holds = all(last) if len(last) == limits.PANEL_DEAD_QUARTERS else None
    given = "has given nothing for an hour of daylight in which its peers produced"
    reason = f"Panel {panel.name} of gateway {gateway} {given}."
    return Condition(PANEL_DEAD.id, gateway, panel.inverter, holds, reason, values={"panel": panel.name})


def _judge_weak_panel(gateway: str, panel: PanelRatios) -> Condition:
    """A day on which it gave nothing at all is the other alarm's business, and neither begins nor ends this one."""
    days = [ratio for ratio in panel.ratios if ratio >= limits.PANEL_GONE_RATIO][-limits.PANEL_WEAK_DAYS :]
    holds: bool | None = None
    if days and days[-1] >= limits.PANEL_WEAK_RATIO:
        holds = False
    elif len(days) == limits.PANEL_WEAK_DAYS and days[-1] == panel.ratios[-1]:
        holds = all(ratio < limits.PANEL_WEAK_RATIO for ratio in days)
    shares = " and ".join(f"{ratio:.0%}" for ratio in days)
    reason = f"Panel {panel.name} of gateway {gateway} gave {shares} of its peers' energy on its last days."
    values: dict[str, ReasonValue] = {"panel": panel.name}
    if days:
        values |= {"before_share": days[0], "last_share": days[-1]}
    return Condition(PANEL_WEAK.id, gateway, panel.inverter, holds, reason, values=values)


def _judge_voltage(gateway: str, phase: PhaseVoltage) -> Condition:
    reason = (
        f"The voltage of phase {phase.phase} at gateway {gateway} is {phase.now:.0f} V, more than 10 % from nominal."
    )
    holds: bool | None = False
    if phase.highest > limits.UNWIRED_V:
        away = abs(phase.now / find_nominal(phase.highest) - 1)
        holds = True if away > limits.VOLTAGE_SHARE else False if away <= limits.VOLTAGE_CALM_SHARE else None
    return Condition(PHASE_VOLTAGE.id, gateway, phase.phase, holds, reason, values={"now_v": phase.now})


def _judge_meter(facts: GatewayFacts) -> Condition:
    """Without daylight nothing is compared, so that no alarm ends at sunset."""
    powers = facts.powers
    if powers is None or max(abs(powers.measured), abs(powers.reported)) < COMPARED_FROM_W:
        return Condition(METER_CONTRADICTS.id, facts.gateway, "", None)
    reason = (
        f"For an hour the production of gateway {facts.gateway} has been {powers.measured:.0f} W by its meter, and "
        f"{powers.reported:.0f} W by its panels."
    )
    values = {"measured_w": powers.measured, "reported_w": powers.reported}
    return Condition(METER_CONTRADICTS.id, facts.gateway, "", differ_by_half(*powers), reason, values=values)


def _judge_battery(gateway: str, battery: str, talks: FieldValue | None) -> Condition:
    reason = f"Battery {battery} has not talked to gateway {gateway} for half an hour."
    return Condition(BATTERY_SILENT.id, gateway, battery, talks < 1 if isinstance(talks, float) else None, reason)


def _judge_grid(facts: GatewayFacts) -> Condition:
    reason = f"The house of gateway {facts.gateway} is cut off from the grid."
    holds = None if facts.grid_mode is None else facts.grid_mode != "connected"
    return Condition(GRID_LOST.id, facts.gateway, "", holds, reason)

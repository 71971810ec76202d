"""What a house sends, as line protocol: the data that must and must not raise an alarm."""

import calendar

from shared.readings import Reading
from tests.grafana.alarm_evaluation import DAY, HOUR, MINUTE

NOON = calendar.timegm((2026, 6, 10, 12, 0, 0))
NIGHT = NOON + 14 * HOUR
GATEWAY, OTHER_GATEWAY = "122300001234", "122300005678"
"""A noon in June, the night after it, and two gateways."""


def write_scraper_report(at: int, gateway: str = GATEWAY, **fields: float | str) -> str:
    """The reading that a scraper makes of itself each minute."""
    known = {"stream_connected": 1.0, "inverters_known": 10.0, "outbox_rows": 5.0, "lost_rows": 0.0, **fields}
    text = ",".join(
        f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in known.items()
    )
    return f"gateway,gateway={gateway} {text} {at}"


def write_scraper_reports(since: int, until: int, gateway: str = GATEWAY, **fields: float | str) -> list[str]:
    return [write_scraper_report(at, gateway, **fields) for at in range(since, until + 1, MINUTE)]


def write_gap_event(start: int, end: int | None = None, gateway: str = GATEWAY) -> list[str]:
    """The two writes of one event: its opening and its end."""
    lines = [f'event,gateway={gateway},type=gap reason="no sample came" {start}']
    return lines if end is None else [*lines, f"event,gateway={gateway},type=gap end={end * 1000}.0 {start}"]


def write_voltages(phase: str, usual: float, now: float, gateway: str = GATEWAY, *, until: int = NOON) -> list[str]:
    loaded_days = range(until - 6 * DAY, until - HOUR, HOUR)
    hour = range(until - HOUR, until, MINUTE)
    meters = ("production", "net-consumption")
    return [
        f"{kind},gateway={gateway},meter={meter},phase={phase} voltage={volts} {at}"
        for meter in meters
        for kind, times, volts in (("meter_1h", loaded_days, usual), ("meter_1m", hour, now))
        for at in times
    ]


def make_grid_states(since: int, until: int, gateway: str = GATEWAY, *, connected: float = 1.0) -> list[str]:
    """How the main relay stands, each minute."""
    return [f"grid,gateway={gateway} connected={connected} {at}" for at in range(since, until + 1, MINUTE)]


def make_battery_states(
    since: int, until: int, *, battery: str = "492320000101", communicating: float = 1.0
) -> list[str]:
    """Whether a battery talks to the gateway, each minute."""
    tags = f"battery,gateway={GATEWAY},battery={battery}"
    return [f"{tags} communicating={communicating} {at}" for at in range(since, until + 1, MINUTE)]


def write_panel_quarters(panel: str, until: int, dead: str, peers: float = 180.0) -> list[str]:
    """The last quarter hours of one panel, one digit for each: 1 where the panel is dead."""
    tags = f"panel_15m,gateway={GATEWAY},array=South,panel={panel},inverter=4820{panel}"
    start = until - len(dead) * 15 * MINUTE
    return [f"{tags} dead={one}.0,peers={peers} {start + number * 15 * MINUTE}" for number, one in enumerate(dead)]


def encode_line(row: Reading) -> str:
    tags = "".join(f",{name}={value}" for name, value in row.tags.items())
    return f"{row.kind},gateway={GATEWAY}{tags} {','.join(f'{k}={v}' for k, v in row.fields.items())} {row.timestamp // 1000}"

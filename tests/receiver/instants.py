"""Instants and steps as tests write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

STEPS = ["1s", "45s", "7m", "15m", "90m", "1h", "2h", "5h", "6h", "12h", "1d", "1w", "1mo", "2mo", "3mo", "6mo", "1y"]


def to_ms(text: str, zone: str = "UTC") -> int:
    """UTC milliseconds of an ISO 8601 text, which is of that zone if it has no offset."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)


def to_text(time: int) -> str:
    """UTC milliseconds as date and minute."""
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M}"

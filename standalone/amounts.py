"""Powers as people read them, by the rounding rule of the page (`formatAmount` in `receiver/web/src/format.ts`). Pure.

The cases in `receiver/web/tests/amounts.json` are tests of both.
"""

from decimal import ROUND_HALF_UP, Decimal


def format_watts(value: float | None) -> str:
    """A power: "640 W", "1.24 kW", "12.3 kW"; a half is rounded away from zero, so that a sign changes no digit."""
    if value is None:
        return "unknown"
    if _round(value, 0).copy_abs() < 1000:
        return f"{_round(value, 0)} W"
    return f"{_round_thousands(value)} kW" if abs(value) < 999_950 else f"{_round_thousands(value / 1000)} MW"


def _round_thousands(value: float) -> Decimal:
    scaled = value / 1000
    return _round(scaled, 2 if abs(scaled) < 9.995 else 1)


def _round(value: float, decimals: int) -> Decimal:
    """The number with so many decimals; never "-0"."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return rounded or rounded.copy_abs()

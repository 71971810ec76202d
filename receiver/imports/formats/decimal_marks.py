"""Whether numbers of a report have a point or a comma before their decimals. Pure.

A number with one of them and three digits behind it does not say whether they are decimals or thousands: 1,234. Another
one in the file does: 0,234 and 1,5 have decimals, 1,234,567 has none.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from receiver.errors import ReceiverSettingError


class DecimalMark(StrEnum):
    """What stands before the decimals."""

    POINT = "point"
    COMMA = "comma"


_NUMBERS = {
    DecimalMark.POINT: re.compile(r"-?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?"),
    DecimalMark.COMMA: re.compile(r"-?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+)(?:,\d+)?"),
}
_WITHOUT_THOUSANDS = {
    DecimalMark.POINT: str.maketrans("", "", ","),
    DecimalMark.COMMA: str.maketrans(",", ".", "."),
}


def read_decimal(text: str, mark: DecimalMark) -> float | None:
    """The number; None if it is none with this mark."""
    if _NUMBERS[mark].fullmatch(text) is None:
        return None
    return float(text.translate(_WITHOUT_THOUSANDS[mark]))


def choose_mark(numbers: Iterable[tuple[int, str]], *, presumed: DecimalMark | None) -> DecimalMark:
    """The mark of a file.

    Args:
        numbers: Its cells with their lines; what is no number says nothing.
        presumed: The mark where the file does not tell; None: nobody knows.

    Raises:
        ReceiverSettingError: It has both, or must tell and does not; a sentence with the remedy.
    """
    lines: dict[DecimalMark, int] = {}
    doubtful = None
    for line, text in numbers:
        found = [mark for mark, pattern in _NUMBERS.items() if pattern.fullmatch(text)]
        if len(found) == 1:
            lines.setdefault(found[0], line)
        elif found and not text.lstrip("-").isdigit():
            doubtful = doubtful or line
    if len(lines) > 1:
        raise ReceiverSettingError(
            f"decimals have a point in line {lines[DecimalMark.POINT]} and a comma in line {lines[DecimalMark.COMMA]}: "
            "write all of them with a point"
        )
    if not lines and doubtful is not None and presumed is None:
        raise ReceiverSettingError(
            f"the number in line {doubtful} may have three decimals or be thousands, and no other one in this file "
            "tells: save it with commas between its columns and a point before decimals"
        )
    return next(iter(lines), presumed or DecimalMark.POINT)

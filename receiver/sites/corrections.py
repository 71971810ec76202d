"""Meters as they should have been set up: applied to values that are read, never to what is stored. Pure.

A reversed transformer turns `power` and `reactive_power`, and its lifetime counters `delivered` and `received` are each
other. Apparent power, current and power factor stay as the gateway reports them, for some gateways sign them and some
do not.
"""

from collections.abc import Iterable, Mapping

import msgspec

from receiver.sites.model import IGNORE, MeterCorrection, Site
from receiver.stores.base import Latest, Point, SeriesPoints
from shared.readings import FieldValue, Series

_DIRECTED = ("power", "reactive_power")
_WITH_SIGN = frozenset(name + end for name in _DIRECTED for end in ("", "_min", "_max"))
_OTHER_WAY = {"delivered": "received", "received": "delivered"} | {
    f"{name}{end}": f"{name}{other}" for name in _DIRECTED for end, other in (("_min", "_max"), ("_max", "_min"))
}
_AS_IT_IS = MeterCorrection()


def correct_latest(latest: Iterable[Latest], site: Site) -> list[Latest]:
    """The latest values of meters with the site's roles and signs, ordered by meter and phase.

    A phase whose newest answer had no power has none: the store may have found an older one.
    """
    spoken = [_leave_out_power(entry) if entry.fields.get("measured") == 0.0 else entry for entry in latest]
    if not site.meters:
        return spoken
    corrected = (_correct(entry, site.meters.get(entry.tags["meter"], _AS_IT_IS)) for entry in spoken)
    shown = (entry for entry in corrected if entry.tags["meter"] != IGNORE)
    return sorted(shown, key=lambda entry: (entry.tags["meter"], entry.tags["phase"]))


def correct_series(series: Iterable[SeriesPoints], site: Site) -> list[SeriesPoints]:
    """Points of kind `meter` or `meter_energy` with the site's roles and signs, ordered by meter and phase."""
    if not site.meters:
        return list(series)
    corrected = []
    for (kind, identity), points in series:
        tags = dict(identity)
        correction = site.meters.get(tags["meter"], _AS_IT_IS)
        role = correction.role or tags["meter"]
        if role == IGNORE:
            continue
        is_turned = tags["phase"] in correction.reversed
        corrected.append(
            SeriesPoints(
                Series.of(kind, {**tags, "meter": role}),
                [Point(time, _turn(fields)) for time, fields in points] if is_turned else points,
            )
        )
    return sorted(corrected, key=lambda entry: entry.series)


def _leave_out_power(entry: Latest) -> Latest:
    fields = {name: value for name, value in entry.fields.items() if name != "power"}
    return msgspec.structs.replace(entry, fields=fields)


def _correct(entry: Latest, correction: MeterCorrection) -> Latest:
    fields = _turn(entry.fields) if entry.tags["phase"] in correction.reversed else entry.fields
    return msgspec.structs.replace(
        entry, tags={**entry.tags, "meter": correction.role or entry.tags["meter"]}, fields=fields
    )


def _turn(fields: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """The fields of a phase whose transformer is clamped on backwards, as if it were not; its roll-ups likewise."""
    return {
        _OTHER_WAY.get(name, name): 0.0 - value if name in _WITH_SIGN and isinstance(value, float) else value
        for name, value in fields.items()
    }  # 0.0 - value, for -value would make -0.0 of nothing

"""Dashboard Phases: what the meters measure on each phase, and whether the voltage is within its limits.

The roll-ups hold time-weighted means, lowest and highest values of equal windows, so plain means over them are right:
of minutes in the upper rows, of hours where lowest and highest are shown.
Raw readings are exception-reported and are shown as they are, never averaged.
"""

from typing import NamedTuple

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import panel_builders, style, variables
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.queries import EACH_HOUR, EXPIRED, PHASE, TIME, DataSource, Query, query_series, query_table, select

PAGE = DashboardPage(
    uid="envoy-phases",
    title="Phases",
    description="Power, voltage, current, power factor and frequency of each meter and phase.",
    since="now-24h",
)
_METER = '"meter" =~ /^${meter:regex}$/'
_MINUTES, _HOURS = "meter_1m", "meter_1h"
_EACH_PHASE = 'GROUP BY time($__interval), "phase" fill(none)'
_POINTS = 400
"""Windows of a curve: five minutes each on a day, one minute when zoomed in. More, on ten panels, take seconds."""
_RAW_POINTS = 2000
"""Points of each phase that are drawn raw: an hour has fewer."""


class MeterField(NamedTuple):
    """A field of the meters: its name, label, unit, and a remark for the panel's description."""

    field: str
    label: str
    unit: str
    remark: str = ""


_SIGNS = "production: + generation. net-consumption: + import, - export. storage: + discharge, - charge."
_POWER = MeterField("power", "Power", style.WATT, _SIGNS)
_VOLTAGE = MeterField("voltage", "Voltage", style.VOLT, "Line to neutral.")
_CURRENT = MeterField("current", "Current", style.AMPERE)
_REACTIVE = MeterField("reactive_power", "Reactive power", style.VAR, "Signed as the gateway reports it.")
_APPARENT = MeterField("apparent_power", "Apparent power", style.VOLT_AMPERE)
_FACTOR = MeterField("power_factor", "Power factor", style.NUMBER, "-1 to 1.")
_FREQUENCY = MeterField("frequency", "Frequency", style.HERTZ, "Of the grid; the same on all phases.")


def make_dashboard() -> Dashboard:
    """The whole dashboard."""
    return build_dashboard(
        PAGE,
        [
            variables.make_datasource_variable(),
            variables.make_live_variable(),
            variables.make_gateway_variable(),
            variables.make_meter_variable(),
            variables.make_phase_variable(),
            variables.make_minutes_variable(),
            *variables.make_nominal_variables(),
        ],
        [
            "Power",
            [_draw_means(_POWER, width=24)],
            [_draw_means(_REACTIVE, width=12), _draw_means(_APPARENT, width=12)],
            "Voltage",
            [_draw_voltage()],
            "Current, power factor, frequency",
            [_draw_means(_CURRENT, width=8), _draw_means(_FACTOR, width=8), _draw_means(_FREQUENCY, width=8)],
            "Imbalance",
            [_draw_imbalance(_POWER), _draw_imbalance(_VOLTAGE)],
            "Range of each hour, phase by phase",
            [_draw_band(_POWER)],
            [_draw_band(_VOLTAGE)],
            "As measured",
            [_draw_raw(_POWER, width=12), _draw_raw(_VOLTAGE, width=12)],
        ],
    )


def _describe(meter_field: MeterField, text: str) -> str:
    return f"{text} {meter_field.remark}".strip()


def _query_mean(field: str) -> list[Query]:
    """Means of one field per window of the screen, a line per phase; by hours where minutes have expired."""
    column, where = f'mean("{field}")', (TIME, _METER, PHASE)
    tail = 'GROUP BY time($__interval), "phase" fill(null)'
    hours = 'GROUP BY time(1h), "phase" fill(null)'
    return [
        query_series(select(column, _MINUTES, *where, tail=tail), "$tag_phase"),
        query_series(select(column, _HOURS, *where, EXPIRED, tail=hours), "$tag_phase"),
    ]


def _draw_means(meter_field: MeterField, *, width: int) -> timeseries.Panel:
    return (
        panel_builders.make_curve(
            meter_field.label,
            _describe(meter_field, "Time-weighted mean, a line per phase; by hours where minutes have expired."),
            _query_mean(meter_field.field),
            unit=meter_field.unit,
            width=width,
        )
        .interval("1m")
        .max_data_points(_POINTS)
    )


def _draw_voltage() -> timeseries.Panel:
    """Thresholds of a panel cannot follow a variable, so the limits are drawn as lines of their own."""
    limits = (
        'mean("voltage") * 0 + ${nominal:raw} * 0.9 AS "Lower limit", '
        'mean("voltage") * 0 + ${nominal:raw} * 1.1 AS "Upper limit"'
    )
    tail = "GROUP BY time($__interval) fill(none)"
    panel = (
        panel_builders.make_curve(
            "Voltage",
            "Time-weighted mean, line to neutral. The limits are those of EN 50160 around the nominal voltage above, "
            "which the readings show unless you choose another: 207 V to 253 V at 230 V, which the mean of any ten "
            "minutes should keep.",
            [*_query_mean("voltage"), query_table(select(limits, _HOURS, TIME, _METER, PHASE, tail=tail))],
            unit=style.VOLT,
            width=24,
        )
        .interval("1m")
        .max_data_points(_POINTS)
    )
    for limit in ("Lower limit", "Upper limit"):
        panel.override_by_name(
            limit,
            style.override_field(
                colour="red", custom__lineStyle={"fill": "dash", "dash": [10, 10]}, custom__lineWidth=1
            ),
        )
    return panel.decimals(1)


def _draw_imbalance(meter_field: MeterField) -> timeseries.Panel:
    column = f'mean("{meter_field.field}") AS "value"'
    each_hour = 'GROUP BY time(1h), "phase" fill(none)'
    queries = [
        query_series(f'SELECT spread("value") FROM ({inner}) WHERE {TIME} {tail}', "Difference")  # noqa: S608 (constants)
        for inner, tail in (
            (select(column, _MINUTES, TIME, _METER, PHASE, tail=_EACH_PHASE), "GROUP BY time($__interval) fill(null)"),
            (select(column, _HOURS, TIME, EXPIRED, _METER, PHASE, tail=each_hour), EACH_HOUR),
        )
    ]
    return (
        panel_builders.make_curve(
            f"Imbalance of {meter_field.label.lower()}",
            "Difference between the highest and the lowest phase. Some grids limit it: in Germany one "
            "customer's phases may differ by 4.6 kVA.",
            queries,
            unit=meter_field.unit,
            width=12,
        )
        .interval("1m")
        .max_data_points(_POINTS)
    )


def _draw_band(meter_field: MeterField) -> timeseries.Panel:
    """One panel per phase: the names in each are fixed, so that the band between two of them can be filled."""
    columns = (
        f'min("{meter_field.field}_min") AS "Lowest", mean("{meter_field.field}") AS "Mean", '
        f'max("{meter_field.field}_max") AS "Highest"'
    )
    tail = "GROUP BY time($__interval) fill(null)"
    panel = (
        panel_builders.make_curve(
            f"{meter_field.label}, phase ${{phase}}",
            _describe(meter_field, "Lowest, mean and highest value of each hour."),
            [query_table(select(columns, _HOURS, TIME, _METER, PHASE, tail=tail))],
            unit=meter_field.unit,
            width=24,
        )
        .interval("1h")
        .max_data_points(_POINTS)
        .repeat("phase")
        .repeat_direction("h")
        .max_per_row(3)
    )
    panel.override_by_name("Lowest", style.override_field(colour="blue", custom__lineWidth=0))
    panel.override_by_name("Mean", style.override_field(colour="blue"))
    panel.override_by_name(
        "Highest",
        style.override_field(colour="blue", custom__lineWidth=0, custom__fillBelowTo="Lowest", custom__fillOpacity=15),
    )
    return panel


def _draw_raw(meter_field: MeterField, *, width: int) -> timeseries.Panel:
    where = (TIME, _METER, PHASE)
    tail = f'GROUP BY "phase" LIMIT {_RAW_POINTS}'
    text = select(f'"{meter_field.field}"', "meter", *where, tail=tail)
    return panel_builders.make_curve(
        f"{meter_field.label} as measured",
        f"Every stored value, up to {_RAW_POINTS} of each phase from the start of the time range: zoom in to see more. "
        "A value is stored when it left the dead-band of the last one, and at least once a minute.",
        [query_series(text, "$tag_phase", source=DataSource.LIVE)],
        unit=meter_field.unit,
        width=width,
    ).span_nulls(120_000)

"""The variables at the top of the dashboards."""

from grafana_foundation_sdk.builders.dashboard import CustomVariable, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.source.queries import ARRAY, GATEWAY, PANEL, PLUGIN, DataSource

MAIN_UID = "envoy-influxdb"
LIVE_UID = "envoy-influxdb-live"
MAIN_NAME = "Envoy"
LIVE_NAME = "Envoy live"
"""Names and uids of the two data sources, as `provisioning/datasources` makes them."""

Variable = Builder[VariableModel]


def make_datasource_variable() -> Variable:
    """The data source of everything but raw meter readings."""
    return (
        DatasourceVariable(DataSource.MAIN)
        .label("Data")
        .description("InfluxDB data source with the bucket that holds everything but raw meter readings.")
        .type(PLUGIN)
        .current(VariableOption(selected=True, text=MAIN_NAME, value=MAIN_UID))
    )


def make_live_variable() -> Variable:
    """The data source of the raw meter readings. Hidden: it changes only together with the installation."""
    return (
        DatasourceVariable(DataSource.LIVE)
        .label("Live data")
        .description("InfluxDB data source with the bucket that holds raw meter readings.")
        .type(PLUGIN)
        .current(VariableOption(selected=True, text=LIVE_NAME, value=LIVE_UID))
        .hide(VariableHide.HIDE_VARIABLE)
    )


def make_gateway_variable() -> Variable:
    """One gateway, by serial; the first one until somebody chooses."""
    return _make_query_variable("gateway", "Gateway", "Serial of the gateway.", 'SHOW TAG VALUES WITH KEY = "gateway"')


def make_phase_variable() -> Variable:
    """Phases, all of them at first."""
    query = f'SHOW TAG VALUES FROM "meter_1m" WITH KEY = "phase" WHERE {GATEWAY}'
    return _allow_many(_make_query_variable("phase", "Phase", "Phases of the meters.", query))


def make_meter_variable() -> Variable:
    """One meter: production and net consumption do not belong into one curve."""
    query = f'SHOW TAG VALUES FROM "meter_1m" WITH KEY = "meter" WHERE {GATEWAY}'
    return _make_query_variable("meter", "Meter", "Which meter: what the roof gives, or what the grid sees.", query)


def make_array_variable() -> Variable:
    """Arrays of the sites file ("-" without), all of them at first."""
    query = f'SHOW TAG VALUES FROM "panel_1d" WITH KEY = "array" WHERE {GATEWAY}'
    return _allow_many(_make_query_variable("array", "Array", "Arrays of panels, as the sites file names them.", query))


def make_panel_variable() -> Variable:
    """Panels of the chosen arrays by the name of the sites file (else by serial), all of them at first."""
    query = f'SHOW TAG VALUES FROM "panel_1d" WITH KEY = "panel" WHERE {GATEWAY} AND {ARRAY}'
    return _allow_many(_make_query_variable("panel", "Panel", "Solar panels by name, or by inverter serial.", query))


def make_inverter_variable() -> Variable:
    """Serials of the chosen panels, for what is stored by serial. Hidden, and always all: it follows the panels."""
    query = f'SHOW TAG VALUES FROM "panel_1d" WITH KEY = "inverter" WHERE {GATEWAY} AND {ARRAY} AND {PANEL}'
    # no "all value": "all" means the serials that the query found
    return (
        _make_query_variable("inverter", "Inverter", "Serials of the chosen panels.", query)
        .multi(True)
        .include_all(True)
        .current(VariableOption(True, ["All"], ["$__all"]))
        .hide(VariableHide.HIDE_VARIABLE)
    )


def make_choice_variable(
    name: str, label: str, description: str, options: tuple[str, ...], chosen: str, *, free: bool = False
) -> Variable:
    """One of a few fixed words.

    Args:
        name: Of the variable.
        label: Text before the choice.
        description: What the choice changes.
        options: `word` or `text : word`, in order.
        chosen: One of `options`: the first choice.
        free: Other words may be typed.
    """
    return (
        CustomVariable(name)
        .label(label)
        .description(description)
        .values(", ".join(options))
        .options([VariableOption(option == chosen, *_split_option(option)) for option in options])
        .current(VariableOption(True, *_split_option(chosen)))
        .allow_custom_value(free)
    )


def make_time_zone_variable() -> Variable:
    """Time zone of days that a query cuts by itself (the stored days are those of the sites file already)."""
    zones = (
        "UTC", "Europe/Amsterdam", "Europe/Berlin", "Europe/London", "Europe/Madrid", "Europe/Paris", "Europe/Vienna",
        "Europe/Zurich", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/New_York",
        "America/Phoenix", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Sydney", "Pacific/Auckland",
    )  # fmt: skip
    return make_choice_variable(
        "tz", "Time zone", "Time zone of the site; type the name of any other.", zones, "UTC", free=True
    )


def _split_option(option: str) -> tuple[str, str]:
    text, _, value = option.partition(" : ")
    return text, value or text


def _make_query_variable(name: str, label: str, description: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(DataSource.MAIN.reference)
        .query({"query": query, "refId": f"variable-{name}"})
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.NATURAL_ASC)
        .allow_custom_value(False)
    )


def _allow_many(variable: QueryVariable) -> QueryVariable:
    return variable.multi(True).include_all(True).all_value(".*").current(VariableOption(True, ["All"], ["$__all"]))

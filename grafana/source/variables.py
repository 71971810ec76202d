"""The variables at the top of the dashboards."""

from collections.abc import Sequence
from importlib.resources import files

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
from receiver.alarms import limits
from receiver.settings import ReceiverSettings

MAIN_UID = "envoy-influxdb"
LIVE_UID = "envoy-influxdb-live"
MAIN_NAME = "Envoy"
LIVE_NAME = "Envoy live"
"""Names and uids of the two data sources, as `provisioning/datasources` makes them."""

Variable = Builder[VariableModel]
_NAME_AND_SERIAL = r"/^(?:(?<text>.*) \()?(?<value>[0-9A-Za-z-]+)\)?$/"
"""Takes the field `label` apart: Grafana shows `text` (`value` where there is none) and puts `value` into queries."""


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
    """One gateway, by the name of the sites file (else by serial); the first one until somebody chooses."""
    query = 'SELECT last("label") FROM "energy_1d" GROUP BY "gateway"'
    description = "Name of the gateway in the sites file, else its serial."
    return _make_query_variable("gateway", "Gateway", description, query).regex(_NAME_AND_SERIAL)


def make_heard_gateway_variable() -> Variable:
    """As `make_gateway_variable`, by serial, also of gateways of whose energy nothing is known yet."""
    return _make_query_variable("gateway", "Gateway", "Serial of the gateway.", 'SHOW TAG VALUES WITH KEY = "gateway"')


def make_phase_variable() -> Variable:
    """Phases, all of them at first."""
    query = f'SHOW TAG VALUES FROM "meter_1m" WITH KEY = "phase" WHERE {GATEWAY}'
    return _allow_many(_make_query_variable("phase", "Phase", "Phases of the meters.", query))


def make_meter_variable() -> Variable:
    """One meter: production and net consumption do not belong into one curve."""
    query = f'SHOW TAG VALUES FROM "meter_1m" WITH KEY = "meter" WHERE {GATEWAY}'
    return _make_query_variable("meter", "Meter", "Which meter: what the roof gives, or what the grid sees.", query)


def make_minutes_variable() -> Variable:
    """How long minutes are kept. Hidden; for a receiver with another `RECEIVER_MINUTE_DAYS` it is changed by hand."""
    kept = f"{ReceiverSettings.model_fields['minute_days'].default}d"
    return (
        CustomVariable("minutes")
        .label("Minutes are kept")
        .description("RECEIVER_MINUTE_DAYS of the receiver; hours stand for the time before.")
        .values(kept)
        .current(VariableOption(True, kept, kept))
        .hide(VariableHide.HIDE_VARIABLE)
    )


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


def make_time_zone_variables() -> list[Variable]:
    """Time zone of days that a query cuts by itself: at first the site's own, in which its days are stored."""
    stored = f'SELECT last("time_zone") FROM "energy_1d" WHERE {GATEWAY}'  # noqa: S608 (constants of this package)
    description = "At first that of the site, else UTC; choose or type any other."
    return _make_proposing_variables("tz", "Time zone", description, stored, ("UTC", *_list_time_zones()))


def make_currency_variable() -> Variable:
    """Currency of the sites file, for titles. Hidden; empty where the file names none."""
    query = f'SELECT last("currency") FROM "energy_1d" WHERE {GATEWAY}'  # noqa: S608 (constants of this package)
    description = "Of the tariffs, as the sites file names it."
    return _make_query_variable("currency", "Currency", description, query).hide(VariableHide.HIDE_VARIABLE)


def make_nominal_variables() -> list[Variable]:
    """Nominal voltage: at first that of the grid which the highest hour of a week shows, as the alert judges it."""
    high, low = limits.NOMINAL_V
    grid = f'{low} + {high - low} * floor(max("voltage_max") / {limits.HALFWAY_V})'
    week = f'SELECT {grid} AS "nominal" FROM "meter_1h" WHERE {GATEWAY} AND time > now() - 7d'  # noqa: S608 (as above)
    description = "Of the grid, line to neutral, at first as the readings show it; the limits are 10 % off."
    choices = ("230", "240", "220", "127", "120", "110")
    return _make_proposing_variables("nominal", "Nominal voltage", description, week, choices)


def _list_time_zones() -> list[str]:
    """All names of places in the locked time zone data, so that every machine makes the same file."""
    names = files("tzdata").joinpath("zones").read_text().split()
    return sorted(name for name in names if "/" in name and not name.startswith("Etc/"))


def _make_proposing_variables(
    name: str, label: str, description: str, query: str, choices: Sequence[str]
) -> list[Variable]:
    """A choice whose first word the database proposes, by way of a hidden variable.

    Grafana replaces variables in the words of a choice, leaves out empty words, and begins with the first one
    (`CustomVariable` and `MultiValueVariable` of its scenes). Where nothing is stored yet the choices begin with ours.

    Args:
        name: Of the choice.
        label: Text before it.
        description: What it changes.
        query: Gives one value.
        choices: The other words.
    """
    hidden = f"stored_{name}"
    proposed = _make_query_variable(hidden, label, description, query).hide(VariableHide.HIDE_VARIABLE)
    choice = (
        CustomVariable(name)
        .label(label)
        .description(description)
        .values(",".join((f"${{{hidden}:raw}}", *choices)))
        .current(VariableOption(True, "", ""))
        .allow_custom_value(True)
    )
    return [proposed, choice]


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

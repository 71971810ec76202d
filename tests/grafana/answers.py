"""Queries the database as Grafana's InfluxDB data source does, and gives what a panel sees of the answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx

from tests.grafana import substitution
from tests.grafana.extraction import (
    LIVE_UID,
    MAIN_UID,
    ExtractedQuery,
    VariableQuery,
    list_fixed_variables,
    list_proposed_choices,
    list_variable_queries,
)
from tests.grafana.simulated_days import BUCKET, LIVE_BUCKET, LoadedDays
from tests.grafana.substitution import DashboardRange, Value
from tests.influxd.server import ADMIN_TOKEN

_BUCKETS = {MAIN_UID: BUCKET, LIVE_UID: LIVE_BUCKET}
_MIN_INTERVAL_MS = 1000
_ALIAS = re.compile(r"\$([\w-]+)|\[\[([\w-]+)\]\]")


class QueryAnswer(NamedTuple):
    """What came back.

    Attributes:
        series: As the database answers: `name`, `tags`, `columns`, `values`.
        names: Fields that hold a value somewhere, by the name a panel knows them by.
        empty: Fields without any value.
    """

    series: list[dict[str, Any]]
    names: set[str]
    empty: set[str]


def choose_first(words: str, values: Mapping[str, Value]) -> str:
    """The first word of a choice, as `CustomVariable` of Grafana's scenes reads it: variables replaced, none empty."""
    replaced = substitution.replace_variables(words, values)
    return next(word.strip() for word in replaced.split(",") if word.strip())


def list_options(found: Iterable[str], regex: str) -> list[tuple[str, str]]:
    """Text and value of each option, as `metricNamesToVariableValues` of Grafana's scenes makes them, sorted by text."""
    if not regex:
        return sorted((one, one) for one in set(found))
    pattern = re.compile(regex.removeprefix("/").removesuffix("/").replace("(?<", "(?P<"))
    options: dict[str, str] = {}
    for one in found:
        if matched := pattern.search(one):
            value = matched["value"] or matched["text"]
            options.setdefault(value, matched["text"] or value)
    return sorted((text, value) for value, text in options.items())


class DashboardClient:
    """Runs queries as a dashboard would, now, in the time zone of the site."""

    def __init__(self, loaded_days: LoadedDays, http: httpx.Client) -> None:
        self._loaded_days = loaded_days
        self._http = http
        self.now = datetime.now(ZoneInfo(loaded_days.time_zone))

    def find_values(self, name: str, board: dict[str, Any]) -> dict[str, Value]:
        """What the variables of a dashboard hold when it is opened. Raises AssertionError for one without values."""
        values: dict[str, Value] = dict(list_fixed_variables(board))
        for variable in list_variable_queries(name, board):
            values[variable.name] = self._find_first(variable, values)
        for choice, words in list_proposed_choices(board).items():
            values[choice] = choose_first(words, values)
        return values

    def _find_first(self, variable: VariableQuery, values: Mapping[str, Value]) -> Value:
        series = self.run(variable.query, values).series
        options = list_options([str(row[1]) for one in series for row in one["values"]], variable.regex)
        found = tuple(value for _, value in options)
        assert found, f"{variable.query.location} has no values"
        return found if variable.takes_all else found[0]

    def make_statement(self, query: ExtractedQuery, values: Mapping[str, Value]) -> str:
        """The statement that the database gets."""
        span = self.find_span(query)
        least = substitution.parse_duration_ms(query.least_interval) if query.least_interval else _MIN_INTERVAL_MS
        text = substitution.replace_variables(query.text, values)
        return substitution.replace_macros(text, span, substitution.choose_interval(span, least, query.points))

    def find_span(self, query: ExtractedQuery) -> DashboardRange:
        """The time range of a query."""
        ends = substitution.parse_time(query.since, self.now), substitution.parse_time(query.until, self.now, end=True)
        return DashboardRange(*(round(end.timestamp() * 1000) for end in ends))

    def run(self, query: ExtractedQuery, values: Mapping[str, Value]) -> QueryAnswer:
        """Run a query. Raises AssertionError for an answer that is an error or has a second statement."""
        source = substitution.replace_variables(query.source, values)
        assert source in _BUCKETS, f"{query.location}: no data source {source}"
        statement = self.make_statement(query, values)
        reply = self._http.post(
            f"{self._loaded_days.server.url}/query",
            params={"db": _BUCKETS[source], "epoch": "ms"},
            data={"q": statement},
            headers={"authorization": f"Token {ADMIN_TOKEN}"},
        )
        assert reply.status_code == httpx.codes.OK, f"{query.location}: {reply.text}\n{statement}"
        (result,) = reply.json()["results"]
        assert "error" not in result, f"{query.location}: {result['error']}\n{statement}"
        series = result.get("series", [])
        return QueryAnswer(series, *_split_fields(query, series))


def _split_fields(query: ExtractedQuery, series: Sequence[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """Names of the fields with and without values, as `influxql/buffered/response_parser.go` makes them."""
    seen: dict[str, bool] = {}
    for one in series:
        tags = one.get("tags", {})
        for index, column in enumerate(one["columns"]):
            filled = any(row[index] is not None for row in one["values"])
            if column == "time":
                name = "Time"
            else:
                name = column if query.format == "table" else _name_series(query.alias, one, column)
            seen[name] = seen.get(name, False) or filled
        if query.format == "table":
            seen |= dict.fromkeys(tags, True)
    return {name for name, filled in seen.items() if filled}, {name for name, filled in seen.items() if not filled}


def _name_series(alias: str, one: Mapping[str, Any], column: str) -> str:
    """As `FormatFrameName` and `BuildFrameNameFromQuery`."""
    tags: dict[str, str] = one.get("tags", {})
    if not alias:
        labels = " ".join(f"{key}: {value}" for key, value in sorted(tags.items()))
        return f"{one['name']}.{column}" + (f" {{ {labels} }}" if tags else "")

    def replace(found: re.Match[str]) -> str:
        word = found[1] or found[2]
        known: dict[str, str] = {"col": column, "m": one["name"], "measurement": one["name"]}
        known |= {f"tag_{key}": value for key, value in tags.items()}
        return known.get(word, found[0])

    return _ALIAS.sub(replace, alias)

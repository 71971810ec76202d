"""The queries of `docs/queries.md` and `docs/more-queries.md`, and what the pages say of their answers."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.grafana.simulated_days import BUCKET, LoadedDays
from tests.influxd.server import ADMIN_TOKEN

_DOCS = Path(__file__).parents[2] / "docs"
TEXT = "".join((_DOCS / name).read_text(encoding="utf-8") for name in ("queries.md", "more-queries.md"))
"""The text of both pages, one after the other."""
SERIAL = "122300001234"
"""The pages have this in place of the serial of the reader's gateway."""
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROMISE = re.compile(r"\n\n(?:From `(\w+)`\. )?Gives ([^.]+)\.\n")
_WORD = re.compile(r"`(\w+)`")


class Example(NamedTuple):
    """One query of the pages.

    Attributes:
        language: `influxql` or `sh`.
        text: As it stands there.
        bucket: Whom it asks.
        columns: That it gives, in this order.
        tags: For each of which (together) it gives a table.
    """

    language: str
    text: str
    bucket: str
    columns: list[str]
    tags: set[str]


def read_examples() -> list[Example]:
    """All queries of the pages. Raises AssertionError for one whose answer is not described."""
    found = []
    for fence in _FENCE.finditer(TEXT):
        promise = _PROMISE.match(TEXT, fence.end())
        assert promise, f"nothing is said of what it gives: {fence[2]}"
        columns, _, tags = promise[2].partition(" for each ")
        found.append(
            Example(fence[1], fence[2], promise[1] or BUCKET, _WORD.findall(columns), set(_WORD.findall(tags)))
        )
    return found


def run(example: Example, loaded_days: LoadedDays, client: httpx.Client) -> list[dict[str, Any]]:
    """The tables that the database answers. Raises AssertionError for a refusal."""
    text = example.text.replace(SERIAL, loaded_days.gateway)
    if example.language == "influxql":
        parameters, headers = {"db": example.bucket, "q": text}, {"Authorization": f"Token {ADMIN_TOKEN}"}
    else:
        parameters, headers = _parse_curl(text)
    answer = client.get(f"{loaded_days.server.url}/query", params=parameters, headers=headers)
    assert answer.status_code == httpx.codes.OK, f"{answer.text}\n{text}"
    (result,) = answer.json()["results"]
    assert "error" not in result, f"{result['error']}\n{text}"
    return list(result.get("series", ()))


def _parse_curl(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """What curl would send: the parameters and the headers of a GET."""
    words = shlex.split(text.replace("\\\n", " ").replace("$INFLUXDB_V2_TOKEN", ADMIN_TOKEN))
    assert words[:3] == ["curl", "-sS", "--get"], words
    options = list(zip(words[4::2], words[5::2], strict=True))
    assert {name for name, _ in options} == {"--header", "--data-urlencode"}, options
    headers = dict(value.split(": ", 1) for name, value in options if name == "--header")
    parameters = dict(value.split("=", 1) for name, value in options if name == "--data-urlencode")
    assert json.loads(parameters["params"]), "the page promises bound parameters"
    return parameters, headers


def find_problems(example: Example, tables: list[dict[str, Any]]) -> list[str]:
    """Where an answer is not what the page says: no rows, other columns or tags, a column without any value."""
    if not tables:
        return [f"no rows: {example.text}"]
    found = []
    for table in tables:
        tags = set(table.get("tags", ()))
        if table["columns"] != example.columns or tags != example.tags:
            found.append(f"gives {table['columns']} for each {sorted(tags)}: {example.text}")
    filled = {
        name
        for table in tables
        for row in table["values"]
        for name, value in zip(table["columns"], row, strict=True)
        if value is not None
    }
    return found + [f"{name} is empty: {example.text}" for name in example.columns if name not in filled]

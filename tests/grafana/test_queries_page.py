"""`docs/queries.md` and `docs/more-queries.md` by themselves; `test_queries` asks what they say."""

import re

import pytest

from receiver.stores.kinds import STORED
from shared.fields import KINDS
from tests.grafana import queries_page

EXAMPLES = queries_page.read_examples()
_RAW = "|".join(KINDS)


def test_the_pages_answer_every_group_of_questions():
    """Each heading has queries of its own, and one of them is asked with bound parameters."""
    groups = re.split(r"^## ", queries_page.TEXT, flags=re.MULTILINE)
    with_queries = [group.partition("\n")[0] for group in groups if "\n```" in group]
    assert with_queries == [
        "What exists", "Now", "Today", "From a script", "Panels", "Phases", "Energy by day, month and year", "Cost",
        "Batteries and grid", "Gaps and losses", "Delivery",
    ]  # fmt: skip
    assert [example.language for example in EXAMPLES].count("sh") == 1


def test_every_kind_but_the_raw_totals_is_shown():
    """The pages have a query for every kind, or a sentence on where it belongs."""
    assert {kind for kind in STORED if f"`{kind}`" not in queries_page.TEXT} == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.text[:60].replace("\n", " "))
def test_it_keeps_its_own_rules(example):
    """No mean or integral over raw readings, no gap filled with zero power, no query that mixes houses."""
    raw = re.search(rf'FROM\s+"({_RAW})"', example.text)
    assert not (raw and re.search(r"\b(mean|integral)\(", example.text))
    assert "integral(" not in example.text
    assert "fill(0)" not in example.text or "count(" in example.text
    assert '"gateway" =' in example.text or 'GROUP BY "gateway"' in example.text or "SHOW TAG VALUES" in example.text


def test_a_wrong_answer_is_found():
    """What the check is there to find, it finds: no rows, other columns, other tags, a column without values."""
    example = queries_page.Example("influxql", "SELECT x", "envoy", ["time", "x"], {"phase"})
    good = {"columns": ["time", "x"], "tags": {"phase": "a"}, "values": [[1, None], [2, 3.0]]}
    assert queries_page.find_problems(example, [good]) == []
    assert "no rows" in queries_page.find_problems(example, [])[0]
    assert "gives ['time', 'y']" in queries_page.find_problems(example, [{**good, "columns": ["time", "y"]}])[0]
    assert "for each ['meter']" in queries_page.find_problems(example, [{**good, "tags": {"meter": "a"}}])[0]
    assert queries_page.find_problems(example, [{**good, "values": [[1, None]]}]) == ["x is empty: SELECT x"]

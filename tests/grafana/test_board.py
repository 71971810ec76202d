"""Layout: lines of panels become positions on Grafana's grid."""

import json

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.source import panel_builders, style
from grafana.source.board import DashboardPage, build_dashboard
from grafana.source.queries import DataSource, assign_ref_ids, query_series, query_table, select

PAGE = DashboardPage("envoy-test", "Test", "A page.", "now-1h")


def _make_panel(title, width, height=4):
    return panel_builders.make_stat_panel(
        title, "What it is.", [query_table("SELECT 1")], unit=style.WATT, width=width, height=height
    )


def test_a_line_lies_under_the_highest_panel_of_the_line_before():
    board = build_dashboard(
        PAGE, [], [[_make_panel("a", 16, 5), _make_panel("b", 8, 3)], "Row", [_make_panel("c", 24)]]
    )
    assert board.panels is not None
    positions = [(panel.title, panel.grid_pos.x, panel.grid_pos.y) for panel in board.panels if panel.grid_pos]
    assert positions == [("a", 0, 0), ("b", 16, 0), ("Row", 0, 5), ("c", 0, 6)]
    assert [panel.id_val for panel in board.panels] == [1, 2, 3, 4]


def test_a_line_that_leaves_a_hole_is_refused_by_the_names_of_its_panels():
    with pytest.raises(ValueError, match=r"\['a', 'b'\] are 20 columns wide; a line has 24"):
        build_dashboard(PAGE, [], [[_make_panel("a", 12), _make_panel("b", 8)]])


def test_queries_of_a_panel_have_letters_and_the_shape_that_the_data_source_reads():
    queries = (query_table("SELECT 1"), query_series("SELECT 2", "$tag_phase", source=DataSource.LIVE))
    made = [query.build() for query in assign_ref_ids(queries)]
    assert json.loads(JSONEncoder().encode(made)) == [
        {
            "datasource": {"type": "influxdb", "uid": "${datasource}"},
            "query": "SELECT 1",
            "rawQuery": True,
            "refId": "A",
            "resultFormat": "table",
        },
        {
            "alias": "$tag_phase",
            "datasource": {"type": "influxdb", "uid": "${live}"},
            "query": "SELECT 2",
            "rawQuery": True,
            "refId": "B",
            "resultFormat": "time_series",
        },
    ]


def test_a_statement_is_always_of_the_chosen_gateway():
    assert select("a", "site_1m", "b", tail="LIMIT 1") == (
        'SELECT a FROM "site_1m" WHERE "gateway" =~ /^${gateway:regex}$/ AND b LIMIT 1'
    )

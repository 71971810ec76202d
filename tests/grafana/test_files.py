"""The generated files are those of their source, and every panel says what it shows."""

import re
import subprocess
import sys

import pytest

from grafana import generated
from receiver.stores.kinds import STORED
from tests.grafana.extraction import GRAFANA, list_alert_queries, list_panel_queries, list_panels, read_dashboards

BOARDS = read_dashboards()
WIDTH = 24
_WORDLESS = {"text", "row"}
RAW = ("meter", "meter_energy", "inverter", "production")
_SMOOTHING = re.compile(r"\b(mean|integral|derivative|non_negative_derivative)\s*\(", re.IGNORECASE)


def test_the_checked_in_files_are_what_the_source_makes():
    assert generated.find_differences() == []


def test_two_runs_make_the_same_text():
    assert generated.make_files() == generated.make_files()


def test_check_tells_which_file_differs(tmp_path, monkeypatch):
    """A changed, a missing and a needless file are named; writing mends all three."""
    monkeypatch.setattr(generated, "HERE", tmp_path)
    generated.write_files()
    assert generated.find_differences() == []
    changed, missing = sorted(generated.make_files())[:2]
    (tmp_path / changed).write_text("{}")
    (tmp_path / missing).unlink()
    (tmp_path / "dashboards" / "old.json").write_text("{}")
    assert generated.find_differences() == sorted([changed, missing, "dashboards/old.json"])
    generated.write_files()
    assert generated.find_differences() == []


def test_the_command_says_that_all_is_well():
    done = subprocess.run([sys.executable, "-m", "grafana", "--check"], cwd=GRAFANA.parent, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_has_title_description_unit_and_data_source(name):
    for panel in list_panels(BOARDS[name]):
        assert panel["title"], panel
        if panel["type"] in _WORDLESS:
            continue
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] in {"${datasource}", "${live}"}, panel["title"]
        assert panel["targets"], panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_the_grid_without_overlap_and_have_ids_of_their_own(name):
    board = BOARDS[name]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < WIDTH, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_dashboards_lead_to_each_other_and_begin_with_the_provisioned_data(name):
    board = BOARDS[name]
    assert board["uid"].startswith("envoy-")
    assert board["links"][0]["tags"] == board["tags"] == ["envoy-relay"]
    chosen = {
        one["name"]: one["current"]["value"] for one in board["templating"]["list"] if one["type"] == "datasource"
    }
    assert chosen.items() <= {"datasource": "envoy-influxdb", "live": "envoy-influxdb-live"}.items()
    assert "datasource" in chosen


@pytest.mark.parametrize("name", BOARDS)
def test_colours_are_names_so_that_they_follow_the_theme(name):
    text = (GRAFANA / "dashboards" / name).read_text()
    assert not re.findall(r'"#[0-9a-fA-F]{3,8}"|"rgba?\(', text)


def _list_queries():
    for name, board in BOARDS.items():
        for panel in list_panels(board):
            yield from list_panel_queries(name, board, panel)
    yield from list_alert_queries()


def test_no_query_smooths_readings_that_are_stored_by_exception():
    """Means over uneven points are wrong; over roll-ups of equal windows they are right."""
    for query in _list_queries():
        kinds = set(re.findall(r'FROM\s+"(\w+)"', query.text))
        assert kinds <= STORED.keys(), query.location
        if kinds & set(RAW):
            assert not _SMOOTHING.search(query.text), query.location


def test_the_live_data_source_is_asked_for_raw_meters_and_the_other_for_all_else():
    for query in _list_queries():
        if re.search(r'FROM "meter"', query.text):
            assert query.source in {"${live}", "envoy-influxdb-live"}, query.location
        else:
            assert query.source in {"${datasource}", "envoy-influxdb"}, query.location

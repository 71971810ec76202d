"""The field case of counters after an outage by day, from the gateway's bytes to the energy of each panel.

`FIELD_CASES` names the folder of the cases (default: `shared/field-cases` beside the checkout); without it this is skipped.
"""

from receiver.rollups.compute import RawSeries
from receiver.rollups.jumps import find_jumps
from receiver.rollups.panels import make_panel_rows
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from scraper.delta.tracker import Tracker
from scraper.gateway.parse import json_reply
from scraper.gateway.parse.device_data import parse_device_data
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS
from tests.field_cases import find_case, set_dates

CASE = "inverter-counter-after-outage"
NOW_S = 1_750_000_000
GAINED_WH = {
    "122099000100": 600.0,
    "122099000101": None,  # 497,200 Wh more
    "122099000102": None,  # would be 2,046 Wh with the wrap: more than 1.5 x 300 W over four hours
    "122099000103": 900.0,
}


def read(name: str) -> list[Reading]:
    body = set_dates((find_case(CASE) / name).read_bytes(), NOW_S)
    return parse_device_data(json_reply.load(body)).readings


def test_each_panel_has_the_energy_it_can_have_made_and_one_event_names_the_rest():
    tracker = Tracker()
    stored: list[Reading] = []
    for name in ("ivp_pdm_device_data", "ivp_pdm_device_data.after"):
        proposal = tracker.propose(read(name))
        tracker.accept(proposal)
        stored += proposal.rows
    series: dict[str, SeriesPoints] = {}
    for row in stored:
        if row.kind == "inverter":
            serial = row.tags["inverter"]
            series.setdefault(serial, SeriesPoints(row.series, [])).points.append(Point(row.timestamp, row.fields))
    edges = [(NOW_S * 1000) - 5 * HOUR_MS, NOW_S * 1000]
    energy = {
        row.tags["inverter"]: row.fields.get("energy") for row in make_panel_rows(series.values(), NO_SITE, edges)
    }
    assert energy == GAINED_WH
    (event,) = find_jumps(RawSeries([], [], list(series.values()), []), NO_SITE, NOW_S * 1000 - DAY_MS, NOW_S * 1000)
    assert event.tags == {"type": "counter_reset"}
    assert event.fields["reason"] == "impossible step: 122099000101 energy_lifetime, 122099000102 energy_lifetime"

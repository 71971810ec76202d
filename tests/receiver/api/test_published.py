"""What is published of answers is what is answered: no property more, none less, and what may be absent is optional."""

from typing import Any

import jsonschema_rs
import pytest

from receiver.api.gateway_answers import InverterStates
from receiver.api.inverter_answers import InverterEntry, PanelData, PanelPlace
from receiver.api.meter_answers import MeterEntry
from receiver.queries.energy_window import EnergyWindow
from receiver.queries.panels import PanelState
from receiver.sites.model import SitePanel
from receiver.stores.kinds import ENERGY_QUANTITIES
from shared.fields import KINDS
from shared.readings import Reading
from tests.receiver.api.conftest import StartOver
from tests.receiver.api.constant_household import SITES, fill, make_counters, make_reports, to_ms, write_sites_file
from tests.receiver.api.published import check_answer, find_open_objects, list_answer_schemas
from tests.receiver.service import GATEWAY, OTHER, Service, make_inverter

SITE = "Lane 5"
PANEL, UNNAMED = "482100000001", "482100000003"
ROOT = "/api/v1/gateways"
QUESTIONS = {
    f"{ROOT}": ["", "?limit=1"],
    f"{ROOT}/{{serial}}": [""],
    f"{ROOT}/{{serial}}/power": [""],
    f"{ROOT}/{{serial}}/alarms": ["", "?format=json"],
    f"{ROOT}/{{serial}}/meters": [""],
    f"{ROOT}/{{serial}}/panels": [""],
    f"{ROOT}/{{serial}}/inverters": [""],
    f"{ROOT}/{{serial}}/inverters/energy": ["", "?every=1h&start=today"],
    f"{ROOT}/{{serial}}/inverters/{{inverter}}": [""],
    f"{ROOT}/{{serial}}/energy": ["", "?every=billing&time_zone=Asia/Kathmandu", "?every=15m&start=today"],
    f"{ROOT}/{{serial}}/energy/lifetime": [""],
    f"{ROOT}/{{serial}}/series": [
        "?kind=meter&field=power", "?kind=meter&field=power&limit=3", "?kind=meter&field=power&every=1h&fill=null",
        "?kind=meter_energy&field=delivered&every=1h&group_by=", "?kind=gateway&field=firmware&every=1h",
        "?kind=gateway&field=firmware", "?kind=inverter&field=power&every=1d&inverter=nobody",
    ],
    "/api/v1/sites": [""],
    "/api/v1/sites/{site}/power": [""],
    "/api/v1/sites/{site}/energy": ["", "?every=1h&start=today"],
    "/api/v1/session": [""],
    "/healthz": [""],
    "/readyz": [""],
}  # fmt: skip
"""Path of every route that answers in JSON to its questions."""


async def fill_household(running: Service) -> None:
    """Half a day with an outage; meters and inverters that say everything they can, and some that say one thing."""
    begin, now = to_ms("2025-10-09"), to_ms("2025-10-09T12:00")
    full = {kind: dict.fromkeys(KINDS[kind].fields, 1.0) for kind in ("meter", "inverter")}
    await fill(
        running,
        [
            *make_counters(begin, begin + 7_000_000),
            *make_counters(begin + 14_000_000, now),
            *make_reports(PANEL, begin, now, 200.0),
            Reading("meter", {"meter": "production", "phase": "a"}, now, dict(full["meter"])),
            Reading("meter", {"meter": "production", "phase": "b"}, now, {"power": 5.0}),
            make_inverter(PANEL, now + 1000, **full["inverter"]),
            make_inverter(UNNAMED, now),
            Reading("gateway", {}, now, {"firmware": "D8.2.4286", "outbox_rows": 3.0}),
            Reading("event", {"type": "gap"}, begin, {"reason": "stream stalled"}),
        ],
        now=now + 2000,
    )


@pytest.fixture(params=["whole", "bare"])
async def household(request: pytest.FixtureRequest, start_over: StartOver, tmp_path: Any) -> Any:
    """A household of which much is known, and one of which next to nothing is."""
    text = (
        SITES.replace("  name: Home", f"  name: Home\n  site: {SITE}") + f'"{OTHER}": {{site: {SITE}}}'
    )  # never heard of
    sites = write_sites_file(tmp_path, text if request.param == "whole" else f'"{GATEWAY}": {{site: {SITE}}}')
    async with start_over("sqlite", docs=True, sites_file=sites) as running:
        if request.param == "whole":
            await fill_household(running)
            await running.receiver.alarms.run_once()  # a gap is open
        else:
            await running.send(make_inverter(PANEL))
        yield running


async def test_every_answer_is_as_published(household: Service):
    schemas = list_answer_schemas((await household.client.get("/openapi.json")).json())
    assert schemas.keys() == QUESTIONS.keys()
    for path, questions in QUESTIONS.items():
        for question in questions:
            address = path.format(serial=GATEWAY, inverter=PANEL, site=SITE) + question
            answer = await household.get(address)
            assert answer.status_code == 200, (address, answer.text)
            check_answer(schemas[path], answer.json())


async def test_the_published_alarm_is_answered(household: Service, request: pytest.FixtureRequest):
    """What is compared above is no empty list where a gap is open."""
    found = (await household.get(f"{ROOT}/{GATEWAY}/alarms")).json()
    is_whole = request.node.callspec.params["household"] == "whole"
    assert ("gateway-silent" in [one["alarm"] for one in found]) == is_whole


async def test_no_answer_allows_properties_beyond_its_own(household: Service):
    for path, schema in list_answer_schemas((await household.client.get("/openapi.json")).json()).items():
        if path.startswith("/api/"):
            assert list(find_open_objects(schema)) == [], path


async def test_an_answer_with_another_property_or_without_a_needed_one_would_be_noticed(household: Service):
    schemas = list_answer_schemas((await household.client.get("/openapi.json")).json())
    path = f"{ROOT}/{{serial}}/power"
    document = (await household.get(path.format(serial=GATEWAY))).json()
    for changed in ({**document, "other": 1}, {name: document[name] for name in document if name != "load_w"}):
        with pytest.raises(jsonschema_rs.ValidationError):
            check_answer(schemas[path], changed)


def test_each_property_of_an_answer_is_described():
    """By itself, so that a reader of the schema needs nothing else."""
    for published in (MeterEntry, InverterEntry, EnergyWindow):
        assert all(note.__metadata__[0].description for note in _list_notes(published)), published


def _list_notes(published: Any) -> list[Any]:
    notes = published.__annotations__.values()
    return [note if hasattr(note, "__metadata__") else note.__args__[0] for note in notes]


def test_answers_of_latest_values_have_the_fields_of_the_dictionary():
    """They are passed on as they were stored, so the published type must know each, as one that may be absent."""
    of_answers = {"timestamp", "age_seconds", "speaks"}
    assert MeterEntry.__required_keys__ == {*KINDS["meter"].tags} | of_answers
    assert MeterEntry.__optional_keys__ == {*KINDS["meter"].fields}
    assert InverterEntry.__required_keys__ == {*KINDS["inverter"].tags, "state"} | of_answers
    assert InverterEntry.__optional_keys__ == {*KINDS["inverter"].fields} | PanelPlace.__optional_keys__
    assert PanelData.__optional_keys__ == SitePanel.model_fields.keys()
    assert list(InverterStates.__annotations__) == list(PanelState)


def test_energy_windows_have_every_quantity():
    named = [name for name in EnergyWindow.__annotations__ if name.endswith("_coverage")]
    assert named == [f"{name}_coverage" for name in ENERGY_QUANTITIES]

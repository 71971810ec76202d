"""How a panel is: producing, idle, silent or gone, from its own last report and those of its peers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.peers import Peers, PeerValue, compute_median_of_peers
from receiver.queries.panels import PanelState, describe_panels
from receiver.sites.model import NO_SITE, Site, SitePanel
from receiver.stores.base import Latest

NOON = 1_750_000_000_000
MINUTE = 60_000


def make_last(serial: str, minutes: float, power: float | None) -> Latest:
    """A report of so many minutes ago."""
    return Latest({"inverter": serial}, NOON - round(minutes * MINUTE), {} if power is None else {"power": power})


def list_states(*reports: Latest, site: Site = NO_SITE) -> dict[str, PanelState]:
    return {serial: found.state for serial, found in describe_panels(reports, site, NOON).items()}


@pytest.mark.parametrize(("minutes", "power", "peer", "state"), [
    (5, 200.0, 200.0, PanelState.PRODUCING),
    (30, 1.1, 0.0, PanelState.PRODUCING),
    (5, 1.0, 200.0, PanelState.IDLE),
    (5, 0.0, 0.0, PanelState.IDLE),
    (5, None, 200.0, PanelState.IDLE),
    (31, 200.0, 200.0, PanelState.SILENT),
    (31, 200.0, 50.0, PanelState.SILENT),
    (31, 200.0, 49.9, PanelState.IDLE),
    (600, 0.0, 0.0, PanelState.IDLE),
    (30 * 1440, 200.0, 200.0, PanelState.SILENT),
    (30 * 1440 + 1, 200.0, 200.0, PanelState.GONE),
    (30 * 1440 + 1, 200.0, 0.0, PanelState.GONE),
])  # fmt: skip
def test_the_state_follows_from_the_last_report_and_the_peers(minutes, power, peer, state):
    assert list_states(make_last("1", minutes, power), make_last("2", 5, peer), make_last("3", 6, peer))["1"] is state


def test_a_panel_alone_is_never_silent():
    """Nobody can tell a dead inverter from a cloudy evening without another one beside it."""
    assert list_states(make_last("1", 40, 200.0)) == {"1": PanelState.IDLE}


def test_when_nobody_reports_nobody_is_silent():
    """The gateway or the scraper is away, not every panel at once."""
    assert list_states(make_last("1", 40, 200.0), make_last("2", 45, 200.0)) == {
        "1": PanelState.IDLE,
        "2": PanelState.IDLE,
    }


def test_peers_are_those_of_the_array():
    """A roof to the west sleeps longer than one to the east."""
    site = Site(panels={"1": SitePanel(array="West"), "2": SitePanel(array="East"), "3": SitePanel(array="East")})
    reports = [make_last("1", 40, 0.0), make_last("2", 5, 200.0), make_last("3", 5, 100.0), make_last("4", 5, 70.0)]
    assert list_states(*reports, site=site)["1"] is PanelState.IDLE
    found = describe_panels(reports, site, NOON)
    assert {serial: panel.peers_w for serial, panel in found.items()} == {"1": None, "2": 100.0, "3": 200.0, "4": None}


def test_a_named_panel_that_never_reported_is_gone():
    site = Site(panels={"9": SitePanel(name="Shed")})
    assert list_states(make_last("1", 5, 200.0), site=site) == {"1": PanelState.PRODUCING, "9": PanelState.GONE}


def test_the_median_of_peers_leaves_the_panel_itself_out():
    found = describe_panels(
        [make_last("1", 5, 10.0), make_last("2", 5, 100.0), make_last("3", 5, 300.0)], NO_SITE, NOON
    )
    assert [found[serial].peers_w for serial in "123"] == [200.0, 155.0, 55.0]


@given(st.lists(st.tuples(st.sampled_from([None, "East", "West"]), st.sampled_from([None, 1.0, 2.0, 5.0])), max_size=9))
def test_all_peers_at_once_are_the_peers_of_each(panels: list[tuple[str | None, float | None]]):
    values = [PeerValue(str(number), array, value) for number, (array, value) in enumerate(panels)]
    peers = Peers(values)
    for inverter in ("x", *map(str, range(len(panels)))):
        for array in (None, "East", "West"):
            named = [one for one in values if one.inverter == inverter and one.array != array]
            assert named or peers.find_median(inverter, array) == compute_median_of_peers(values, inverter, array)

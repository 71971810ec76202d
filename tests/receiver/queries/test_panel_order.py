"""In which order panels stand."""

from receiver.queries.panel_ratios import PanelOrder, sort_panels
from receiver.sites.model import Site, SitePanel

SITE = Site(
    panels={serial: SitePanel(name=name) for serial, name in {"1": "East 10", "2": "East 2", "4": None}.items()}
)


def test_names_count_and_what_has_none_stands_last():
    found = sort_panels("4321", PanelOrder.NAME, site=SITE, energies={}, ratios={})
    assert found == ["2", "1", "3", "4"]


def test_what_is_unknown_stands_last():
    energies, ratios = {"1": 5.0, "2": None, "3": 0.0}, {"3": 0.0, "1": 1.0}
    by_energy = sort_panels("4321", PanelOrder.ENERGY, site=SITE, energies=energies, ratios=ratios)
    assert by_energy == ["1", "3", "2", "4"]
    assert sort_panels("4321", PanelOrder.RATIO, site=SITE, energies=energies, ratios=ratios) == ["3", "1", "2", "4"]

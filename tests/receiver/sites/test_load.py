"""What the sites file may say, and the sentence for everything that it may not."""

import re
from datetime import date
from pathlib import Path

import pytest

from receiver.sites import Site
from receiver.sites.cloud_links import find_linked_gateway
from receiver.sites.houses import choose_billing_day, group_by_site
from receiver.sites.load import MAX_BYTES, SitesFileError, parse
from receiver.sites.model import Location

DOCS = Path(__file__).parents[3] / "docs" / "sites.md"
TARIFF = "valid_from: 2026-01-01"


def find_problems(text: str | bytes) -> list[str]:
    with pytest.raises(SitesFileError) as error:
        parse(text if isinstance(text, bytes) else text.encode())
    return error.value.sentences


def test_gateways_of_one_house_lie_in_one_zone_and_have_one_billing_day():
    berlin, vienna = "site: Lane 5, time_zone: Europe/Berlin", "site: Lane 5, time_zone: Europe/Vienna"
    assert find_problems(f"1: {{{berlin}}}\n2: {{{vienna}}}") == [
        "gateways 1 and 2, site Lane 5: must have the same time_zone, for one house lies in one zone"
    ]
    assert find_problems(f"1: {{{berlin}, billing_day: 2}}\n2: {{site: Lane 5, billing_day: 3}}") == [
        "gateways 1 and 2, site Lane 5: must have the same billing_day"
    ]
    assert find_problems("1: {site: a/b}") == ["gateway 1, site: must have no /, for it stands in addresses"]
    sites = parse(f"1: {{{berlin}, billing_day: 2}}\n3: {{site: Lane 5}}\n2: {{{vienna.replace('5', '6')}}}".encode())
    assert group_by_site(sites) == {"Lane 5": ["1", "3"], "Lane 6": ["2"]}
    assert choose_billing_day([sites["3"], sites["1"]]) == 2


def test_a_system_of_the_cloud_is_linked_to_one_gateway_at_home():
    (twice,) = find_problems("1: {cloud: system-9}\n3: {cloud: system-8}\n2: {cloud: system-9}")
    assert twice == (
        "gateways 1 and 2, cloud: each is linked to system-9, whose energies are of all gateways together; leave cloud "
        "to one that is the only gateway of its system"
    )
    (itself,) = find_problems("system-9: {cloud: system-9}")
    assert itself == (
        "gateway system-9, cloud: is a system of the cloud itself: write 'cloud: system-9' into the entry of the "
        "gateway at home"
    )
    sites = parse(b"1: {cloud: system-9}\n2: {cloud: system-8}\nsystem-9: {name: Cloud}")
    assert [find_linked_gateway(sites, system) for system in ("system-9", "system-8", "system-7")] == ["1", "2", None]


def test_the_example_of_the_docs_loads_whole():
    """Every key of the model stands in the example and arrives with its value."""
    example = re.search(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    sites = parse(example[1].encode())
    assert list(sites) == ["122300001234", "122300005678", "122300009012"]
    site = sites["122300001234"]
    assert (site.name, site.time_zone, site.netting) == ("Home", "Europe/Berlin", "sum")
    assert site.location == Location(latitude=52.52, longitude=13.4)
    assert site.meters["net-consumption"].role == "total-consumption"
    assert site.meters["net-consumption"].reversed == {"b"}
    panel = site.panels["482300001112"]
    assert panel.model_dump() == {
        "name": "East 2", "array": "Garage", "row": 1, "column": 2, "azimuth": 90, "tilt": 35, "rated_watts": 410,
    }  # fmt: skip
    assert [tariff.valid_from for tariff in site.tariffs] == [date(2025, 1, 1), date(2026, 1, 1)]
    assert (site.billing_day, sites["122300005678"].billing_day) == (15, 1)
    assert site.cloud == "system-4711023"
    assert site.tariffs[0].rates == (0.32,) * 24
    assert site.tariffs[1].rates == (0.21,) * 6 + (0.34,) * 16 + (0.21,) * 2
    assert {key for site in sites.values() for key in site.model_fields_set} == set(Site.model_fields)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~"])
def test_an_empty_file_has_no_sites(text: str):
    assert parse(text.encode()) == {}


def test_a_key_without_a_value_is_left_out():
    """As a half-filled template has it."""
    assert parse(b"1:\n2:\n  name:\n  panels:\n    3:\n") == {"1": Site(), "2": Site(panels={"3": {}})}


def test_serials_and_texts_stay_as_they_are_written():
    """No octal numbers, no booleans, no base 60, and a byte order mark is no text."""
    sites = parse("\ufeff012300: {name: no, panels: {0x1F: {name: 6:30}, 1e3: {name: Zürich}}}".encode())
    assert sites["012300"].name == "no"
    assert [(serial, panel.name) for serial, panel in sites["012300"].panels.items()] == [
        ("0x1F", "6:30"), ("1e3", "Zürich"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("Home", "gateway 1: must have keys of its own, indented below it: name, site, time_zone"),
        ("{nmae: Home}", "gateway 1, nmae: no such key; did you mean name?"),
        ("{xyzzy: 1}", "gateway 1, xyzzy: no such key; there are name, site, time_zone,"),
        ("{name: ''}", "gateway 1, name: must be a text of 1 to 100 characters"),
        ('{name: "a\\nb"}', "gateway 1, name: must be a text of 1 to 100 characters on one line"),
        ("{time_zone: Berlin}", "gateway 1, time_zone: must be an IANA name.*; did you mean Europe/Berlin?"),
        ("{time_zone: [a]}", "gateway 1, time_zone: must be an IANA name"),
        ("{location: 5}", "gateway 1, location: must have latitude and longitude"),
        ("{location: {latitude: 1}}", "gateway 1, location, longitude: is missing; it must be degrees"),
        ("{location: {latitude: 91, longitude: 0}}", "gateway 1, location, latitude: must be degrees from -90 to 90"),
        ("{location: {latitude: 1, longitude: '13,4'}}", "longitude: must be.* with a decimal point"),
        ("{location: {latitude: nan, longitude: 0}}", "latitude: must be degrees"),
        ("{netting: no}", "gateway 1, netting: must be sum .* or phases"),
        ("{currency: eur}", "gateway 1, currency: must be a code of three capital letters such as EUR"),
        ("{currency: EURO}", "gateway 1, currency: must be a code of three capital letters"),
        ("{billing_day: 0}", "gateway 1, billing_day: must be a day of the month from 1 to 28"),
        ("{billing_day: 29}", "gateway 1, billing_day: must be a day of the month from 1 to 28"),
        ("{billing_day: 1.5}", "gateway 1, billing_day: must be a day"),
        ("{cloud: 4711023}", "gateway 1, cloud: must be the name of the system at the receiver: system- and its number"),
        ("{cloud: system-4a}", "gateway 1, cloud: must be the name of the system"),
        ("{cloud: system-04}", "gateway 1, cloud: must be the name of the system"),
        ("{meters: 3}", "gateway 1, meters: must be meter names"),
        ("{meters: {production: {sign: -1}}}", "gateway 1, meters, production, sign: no such key; there are role"),
        ("{meters: {production: {role: solar}}}", "meters, production, role: must be production, pv3p, net-consumption"),
        ("{meters: {production: {reversed: [d]}}}", "meters, production, reversed: must be a list of phases"),
        ("{meters: {production: {reversed: a}}}", "meters, production, reversed: must be a list of phases"),
        ("{meters: {production: {role: storage}, storage: }}", "would both be storage: give .* 'role: ignore'"),
        ("{meters: {net-consumption: {role: production}}}", "would both be production: give production another role"),
        ("{meters: {a b: }}", "gateway 1, meters, a b: must be a name as the readings have it"),
        ("{panels: [a]}", "gateway 1, panels: must be serial numbers of inverters"),
        ("{panels: {4: East}}", "gateway 1, panels, 4: must have keys of its own, indented below it: name, array, row"),
        ("{outputs: {emoncms: 1}}", "gateway 1, outputs, emoncms: must be the nodes there, e.g. {node: envoy"),
        ("{outputs: {emoncms: {nod: x}}}", "gateway 1, outputs, emoncms, nod: no such key; did you mean node?"),
        ("{outputs: {emoncms: {panels: a/b}}}", "gateway 1, outputs, emoncms, panels: must be a name of 1 to 64"),
        ("{outputs: {pvoutput: {}}}", "gateway 1, outputs, pvoutput, system: is missing; it must be the number"),
        ("{outputs: {pvoutput: {system: x}}}", "gateway 1, outputs, pvoutput, system: must be the number"),
        ("{outputs: {pvoutput: {system: 1, interval: 7}}}", "gateway 1, outputs, pvoutput, interval: must be the status"),
        ("{outputs: {emoncms: {late: maybe}}}", "gateway 1, outputs, emoncms, late: must be send"),
        ("{outputs: {emoncms: {interval: 7}}}", "gateway 1, outputs, emoncms, interval: must be the seconds of a slot"),
        ("{panels: {4: {rwo: 1}}}", "gateway 1, panels, 4, rwo: no such key; did you mean row?"),
        ("{panels: {4: {row: 0, column: 1}}}", "gateway 1, panels, 4, row: must be a whole number from 1"),
        ("{panels: {4: {row: 1, column: 1.5}}}", "column: must be a whole number from 1"),
        ("{panels: {4: {row: 1}}}", "gateway 1, panels: 4 needs both row and column"),
        ("{panels: {4: {row: 1, column: 1}, 5: {row: 1, column: 1}}}", "panels: 5 and 4 have the same place"),
        ("{panels: {4: {array: [a]}}}", "array: must be a text"),
        ("{panels: {4: {azimuth: 361}}}", "azimuth: must be degrees from 0 to 360"),
        ("{panels: {4: {tilt: -1}}}", "tilt: must be degrees from 0"),
        ("{panels: {4: {rated_watts: 0}}}", "rated_watts: must be watts above 0"),
        ("{tariffs: {rates: 1}}", "gateway 1, tariffs: must be a list"),
        ("{tariffs: [3]}", "gateway 1, tariffs, entry 1: must have keys of its own.*: valid_from, rates, feed_in"),
        ("{tariffs: [{rates: 1}]}", "gateway 1, tariffs, entry 1, valid_from: is missing; it must be a date"),
        (f"{{tariffs: [{{{TARIFF}}}]}}", "gateway 1, tariffs, entry 1, rates: is missing; it must be a price"),
        ("{tariffs: [{valid_from: 31.1.2026, rates: 1}]}", "valid_from: must be a date such as 2026-01-31"),
        ("{tariffs: [{valid_from: {a: b}, rates: 1}]}", "valid_from: must be a date such as 2026-01-31"),
        (f"{{tariffs: [{{{TARIFF}, rates: 1, feed_in: inf}}]}}", "feed_in: must be a price per kWh"),
        (f"{{tariffs: [{{{TARIFF}, rates: 1}}, {{{TARIFF}, rates: 2}}]}}", "tariffs: two of them begin on the same day"),
        *(
            (f"{{tariffs: [{{{TARIFF}, rates: {rates}}}]}}", "entry 1, rates: must be a price, or a price for every hour")
            for rates in ("x", "[1, 2]", "{0-5: 1}", "{0-24: 1, 3-4: 2}", "{0-24: }", "{0-30: 1}", "{all: 1}", "{6-6: 1}")
        ),
    ],
)  # fmt: skip
def test_every_wrong_value_has_one_sentence(entry: str, sentence: str):
    """It names gateway and key, and what to write instead."""
    (found,) = find_problems(f"1: {entry}")
    assert re.search(sentence.replace("?", r"\?"), found), found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a", "one entry for each gateway"),
        ("Home", "one entry for each gateway"),
        ("name: Home", "name stands at the left edge: indent it"),
        ("1 2: ", "gateway 1 2: must be a serial number"),
        ("1:\n\tname: Home", "line 2 is not YAML .*; look at its indentation"),
        ("1: {", "line 1 is not YAML|line 2 is not YAML"),
        ("1: {name: a}\n1: {name: b}", "line 2: this key stands here for the second time"),
        ("[a]: b", "line 1: a key must be a word"),
        ("1: \n---\n2: ", "line 3: a second document begins here"),
        ("1: {name: \x07}", "control characters"),
        (b"1: {name: Z\xfcrich}", "not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_file_of_the_wrong_form_has_one_sentence(text: str | bytes, sentence: str):
    (found,) = find_problems(text)
    assert re.search(sentence, found), found
    assert "\n" not in found


def test_all_problems_are_told_at_once():
    assert len(find_problems("1: {netting: a, panels: {4: {tilt: 91, azimuth: -1}}}\n2: {time_zone: x}")) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "line 2: aliases"),
        ("1: &a [*a]", "line 1: aliases"),
        ("[" * 100_000, "too many levels"),
        ("1: " + "{a: " * 50_000, "too many levels"),
        ("#" * (MAX_BYTES + 1), "larger than 512 KiB"),
    ],
)
def test_bombs_are_refused(text: str, sentence: str):
    (found,) = find_problems(text)
    assert sentence in found


def test_tags_run_nothing():
    """A tag makes no object: the text below it is just text."""
    assert "must have keys" in find_problems("1: !!python/object/apply:os.system ['exit']")[0]


def test_outputs_are_read_as_people_write_them():
    systems = "emoncms: {node: Envoy-S, interval: 30}, pvoutput: {system: 12345, interval: 15}"
    text = f"1: {{time_zone: Europe/Berlin, outputs: {{{systems}}}}}"
    outputs = parse(text.encode())["1"].outputs
    assert outputs.emoncms is not None
    assert (outputs.emoncms.node, outputs.emoncms.panels, outputs.emoncms.interval) == ("Envoy-S", "envoy-panels", 30)
    assert outputs.pvoutput is not None
    assert (outputs.pvoutput.system, outputs.pvoutput.interval) == (12345, 15)
    both = parse(b"1: {outputs: {emoncms: {}}}")["1"].outputs
    assert both.emoncms is not None
    assert both.pvoutput is None


def test_gateways_that_would_write_over_each_other_are_both_named():
    (sentence,) = find_problems("1: {outputs: {emoncms: {}}}\n3: {}\n2: {outputs: {emoncms: {node: envoy}}}")
    assert sentence.startswith("gateways 1 and 2, outputs, emoncms, node: each writes to envoy, ")
    assert sentence.endswith("; give each a node of its own")
    own = "time_zone: Europe/Berlin, outputs: {pvoutput: {system: 7}}"
    (sentence,) = find_problems(f"1: {{{own}}}\n2: {{{own}}}")
    assert sentence.startswith("gateways 1 and 2, outputs, pvoutput, system: each writes to system 7, ")
    other = "time_zone: Europe/Berlin, outputs: {emoncms: {node: b}, pvoutput: {system: 8}}"
    assert len(parse(f"1: {{{own}}}\n2: {{{other}}}\n3: {{outputs: {{emoncms: {{}}}}}}".encode())) == 3


def test_a_system_at_pvoutput_needs_a_time_zone():
    assert find_problems("1: {outputs: {pvoutput: {system: 7}}}") == [
        "gateway 1, outputs, pvoutput: needs time_zone beside outputs, the one that the system has at PVOutput"
    ]

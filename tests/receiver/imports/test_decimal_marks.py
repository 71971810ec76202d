"""A comma in a number of a report is read as what it is in the whole file, or the file is refused: never by guess."""

import pytest

from tests.receiver.imports.test_enlighten import HEADER, import_report, read_windows

KWH = "Date/Time;Energy Produced (kWh);Energy Consumed (kWh)"
pytestmark = pytest.mark.usefixtures("chosen_state")


def list_energies() -> list[tuple[object, object]]:
    return [(point.fields["production"], point.fields["load"]) for point in read_windows()]


@pytest.mark.parametrize("telling", ["0,234", "1,5", "1.234,5"])
def test_a_number_that_has_decimals_after_a_comma_says_so_for_all(telling: str):
    told = import_report(KWH, f"14.05.2023 10:00;{telling};0", "14.05.2023 11:00;1,100;2")
    assert "2 written" in told
    assert "decimals with a comma" in told
    wh = float(telling.replace(".", "").replace(",", ".")) * 1000
    assert list_energies() == [(pytest.approx(wh), 0.0), (pytest.approx(1100), 2000.0)]


@pytest.mark.parametrize("telling", ["0.234", "1.5", "1,234.5", "1,234,567"])
def test_with_semicolons_a_point_may_stand_before_decimals_too(telling: str):
    told = import_report(KWH.replace("kWh", "Wh"), f"14.05.2023 10:00;{telling};0", "14.05.2023 11:00;1,100;2.956")
    assert "2 written" in told
    assert "comma" not in told
    assert list_energies() == [(pytest.approx(float(telling.replace(",", ""))), 0.0), (1100.0, pytest.approx(2.956))]


@pytest.mark.parametrize("number", ["1,234", "1.234"])
def test_a_file_with_semicolons_that_does_not_tell_is_refused(number: str):
    told = import_report(KWH, "14.05.2023 10:00;12;3", f"14.05.2023 11:00;{number};3", fails=True)
    assert "report.csv: the number in line 3 may have three decimals or be thousands" in told
    assert "a point before decimals" in told
    assert read_windows() == []


def test_whole_numbers_tell_nothing_and_need_not():
    assert "2 written" in import_report(KWH, "14.05.2023 10:00;12;3", "14.05.2023 11:00;-;3")


def test_a_file_with_both_is_refused_with_the_lines():
    told = import_report(HEADER, '05/14/2023 10:00,"0,5",1,1,1', "05/14/2023 11:00,0.5,1,1,1", fails=True)
    assert "decimals have a point in line 3 and a comma in line 2: write all of them with a point" in told


def test_a_comma_without_quotes_that_makes_two_values_of_one_is_skipped():
    told = import_report(HEADER, "05/14/2023 10:00,0,234,1,1,1", "05/14/2023 11:00,1,1,1,1")
    assert "1 written" in told
    assert "1 skipped: more values than columns" in told
    assert "(first in line 2)" in told

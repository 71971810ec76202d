"""The installer password, against every published vector."""

import pytest

from scraper.gateway.password import derive_installer_password, derive_password

SERIALS = [
    ("012345678901", "installer", "ffc6e2c2"),
    ("123456789012", "bob", "bch6c5a9"),
    ("123456789012", "installer", "7edE24ed"),
    ("122112123456", "installer", "d525d2jh"),
    ("121621012167", "installer", "2eDhg4Ce"),
    ("122000000002", "installer", "e4kb7355"),
    ("122000000030", "installer", "bn2Cm8ak"),
    ("122000000019", "installer", "2Edff2DC"),
    ("122000000084", "installer", "d9FE9e7f"),
    ("122000007101", "installer", "a8HdaG97"),
    ("122000000003", "installer", "ac543da2"),
    ("000000000000", "installer", "285A97bf"),
    ("123456789012", "envoy", "bB94445e"),
]
HASHES = [
    ("0" * 32, "zyxwvuts"),
    ("1" * 32, "ZYXWVUTS"),
    ("5bab74732cca8faf481303b664045ce9", "9ec54h46"),
    ("00011100011100011100011100011100", "wvNMLuts"),
]


@pytest.mark.parametrize(("serial", "user", "password"), SERIALS)
def test_serials_give_the_published_passwords(serial, user, password):
    assert derive_installer_password(serial, user) == password


def test_the_installer_is_the_default_user():
    assert derive_installer_password("122112123456") == "d525d2jh"


@pytest.mark.parametrize(("digits", "password"), HASHES)
def test_hashes_give_the_published_passwords(digits, password):
    assert derive_password(digits) == password

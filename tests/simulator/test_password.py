"""The device's own password derivation, against published vectors."""

import pytest

from simulator.gateway.password import derive_installer_password, fold

VECTORS = [
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


@pytest.mark.parametrize(("serial", "user", "password"), VECTORS)
def test_a_serial_has_one_password(serial, user, password):
    assert derive_installer_password(serial, user) == password


@pytest.mark.parametrize(
    ("digest", "password"),
    [
        ("0" * 32, "zyxwvuts"),
        ("1" * 32, "ZYXWVUTS"),
        ("5bab74732cca8faf481303b664045ce9", "9ec54h46"),
        ("00011100011100011100011100011100", "wvNMLuts"),
    ],
)
def test_folding_counts_and_skips(digest, password):
    assert fold(digest) == password

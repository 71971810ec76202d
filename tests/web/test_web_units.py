"""The page's own tests, types and size."""

import gzip
import json
import re

from tests.web.sources import DIST, WEB, build

_MOST_SCRIPT = 100_000
_ADDRESS = re.compile(rb"https?://[\w.-]+")
_NAMES_ALONE = {b"http://www.w3.org"}
"""Names of XML vocabularies: nobody asks there."""


def test_what_the_page_computes_is_right() -> None:
    output = build("test")
    counts = {
        name: int(count) for name, count in re.findall(r"^\S (pass|fail|skipped|todo) (\d+)$", output, re.MULTILINE)
    }
    assert counts.pop("pass") > 20, output
    assert counts == {"fail": 0, "skipped": 0, "todo": 0}, output


def test_the_sources_have_no_type_error() -> None:
    build("check")


def test_the_script_is_small_enough_for_a_phone() -> None:
    build()
    scripts = list(DIST.rglob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) < _MOST_SCRIPT


def test_the_built_page_names_no_other_host() -> None:
    build()
    for path in DIST.rglob("*"):
        if path.is_file():
            assert set(_ADDRESS.findall(path.read_bytes())) <= _NAMES_ALONE, path.name


def test_every_address_in_the_built_page_is_relative() -> None:
    build()
    index = (DIST / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', index)
    assert len(addresses) >= 3
    assert all(address.startswith("./") for address in addresses), addresses
    assert not re.search(r"<script(?![^>]*src)|<style|style=", index), "the content policy forbids what is inline"


def test_the_lock_file_pins_every_package_by_its_content_and_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 10
    assert all(package.get("integrity", "").startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())

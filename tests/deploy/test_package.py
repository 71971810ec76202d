"""The package that pip installs: one version, complete metadata, typed."""

import tomllib
from pathlib import Path

from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from shared.version import VERSION

ROOT = Path(__file__).parents[2]
WRITTEN = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
METADATA = ProjectMetadata(str(ROOT), PluginManager())


def test_the_version_is_that_of_the_module() -> None:
    assert "version" not in WRITTEN["project"]
    assert METADATA.version == VERSION


def test_the_metadata_is_complete() -> None:
    core = METADATA.core
    assert core.description
    assert core.license_expression == "Apache-2.0"
    assert core.license_files == ["LICENSE"]
    assert core.authors
    assert core.keywords
    assert core.urls
    assert "Typing :: Typed" in core.classifiers
    assert not [name for name in core.classifiers if name.startswith("License ::")], "the expression says it"


def test_every_package_says_that_it_is_typed() -> None:
    for package in WRITTEN["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert (ROOT / package / "py.typed").exists(), package

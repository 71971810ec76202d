"""The package that pip installs: one version, complete metadata, typed."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
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


@pytest.mark.slow
def test_a_wheel_and_an_sdist_of_the_source_hold_the_page(tmp_path: Path) -> None:
    """The tree is as it comes from git: nobody has built the page. Packages of Node are taken from here."""
    source = copy_source(tmp_path)
    (source / "receiver" / "web" / "node_modules").symlink_to(ROOT / "receiver" / "web" / "node_modules")
    build(source, tmp_path)
    (wheel,), (sdist,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "receiver/web/dist/index.html" in names
    assert [name for name in names if name.startswith("receiver/web/dist/assets/") and name.endswith(".js")]
    assert not [name for name in names if "node_modules" in name or name.startswith("receiver/web/src")]
    with tarfile.open(sdist) as archive:
        assert [name for name in archive.getnames() if name.endswith("receiver/web/dist/index.html")]
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    build(unpacked, tmp_path / "again", PATH="/nowhere")  # without Node: what is there is taken
    (again,) = (tmp_path / "again").glob("*.whl")
    with zipfile.ZipFile(again) as archive:
        assert "receiver/web/dist/index.html" in archive.namelist()


def test_a_package_without_the_page_is_made_only_where_that_is_wanted(tmp_path: Path) -> None:
    source = copy_source(tmp_path)
    (source / "receiver" / "web" / "build.sh").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build(source, tmp_path)
    assert "the page could not be built" in failed.value.stderr
    build(source, tmp_path, RELAY_WITHOUT_PAGE="1")
    assert list(tmp_path.glob("*.whl"))


def copy_source(folder: Path) -> Path:
    """What git has, without anything that was built."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    target = folder / "source"
    for name in filter(None, names.split("\0")):
        if name.startswith("tests/") or not (ROOT / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


def build(source: Path, target: Path, **environment: str) -> None:
    """Both archives, by the build back-end that the project names."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target)],
        cwd=source, check=True, capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip

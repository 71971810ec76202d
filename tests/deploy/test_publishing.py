"""What is published: every image, for every architecture that its dependencies have wheels for, under one version."""

import re
from pathlib import Path

import pytest
import yaml

from shared.version import VERSION
from tests.deploy.dockerfile import PROGRAMS

ROOT = Path(__file__).parents[2]
BAKE = (ROOT / "docker-bake.hcl").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "images.yml").read_text())


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("docker-compose.yml", r"\$\{RELAY_VERSION:-([^}]*)\}"),
        ("compose.home.yml", r"\$\{RELAY_VERSION:-([^}]*)\}"),
        (".env.example", r"#RELAY_VERSION=(.*)"),
        ("kubernetes/overlays/home/kustomization.yaml", r"newTag: ([^}]*)\}"),
        ("kubernetes/overlays/hosted/kustomization.yaml", r"newTag: ([^}]*)\}"),
    ],
)
def test_files_that_cannot_read_the_version_name_it(file: str, pattern: str) -> None:
    """Compose and kustomize start the images of one version, which their files must pin."""
    assert set(re.findall(pattern, (ROOT / file).read_text())) == {VERSION}


@pytest.mark.parametrize("file", ["pyproject.toml", "Makefile", "Dockerfile", "docker-bake.hcl", "tests/images.sh"])
def test_other_files_read_the_version(file: str) -> None:
    assert VERSION not in (ROOT / file).read_text()


def test_what_is_published_is_what_the_compose_file_starts() -> None:
    programs = re.search(r"matrix\s+= \{ program = \[(.*)\] \}", BAKE)
    assert programs is not None
    assert set(re.findall(r'"(\w+)"', programs[1])) == set(PROGRAMS)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    started = {
        (service["build"]["target"], service["image"].rpartition("/")[2].partition(":")[0])
        for service in services.values()
        if "build" in service
    }
    assert started == {(name, f"envoy-{name}") for name in PROGRAMS}


def test_both_architectures_are_published() -> None:
    platforms = re.search(r"platforms\s+= \[(.*)\]", BAKE)
    assert platforms is not None
    assert set(re.findall(r'"(\S+)"', platforms[1])) == {"linux/amd64", "linux/arm64"}


def test_only_tags_publish_and_with_no_more_rights_than_needed() -> None:
    assert set(WORKFLOW[True]) == {"push"}  # `on` is the YAML word for true
    assert set(WORKFLOW[True]["push"]) == {"tags"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    (job,) = WORKFLOW["jobs"].values()
    assert job["permissions"] == {"contents": "read", "packages": "write"}
    assert any("docker buildx bake --push --provenance=mode=max" in step.get("run", "") for step in job["steps"])

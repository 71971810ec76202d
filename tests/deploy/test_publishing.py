"""What is published: every image, for every architecture that its dependencies have wheels for, under one version."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BAKE = (ROOT / "docker-bake.hcl").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "images.yml").read_text())
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("docker-bake.hcl", r'variable "VERSION" \{\n  default = "(.*)"'),
        ("docker-compose.yml", r"\$\{RELAY_VERSION:-([^}]*)\}"),
        (".env.example", r"#RELAY_VERSION=(.*)"),
        ("scraper/Dockerfile", r"ARG VERSION=(.*)"),
        ("receiver/Dockerfile", r"ARG VERSION=(.*)"),
        ("simulator/Dockerfile", r"ARG VERSION=(.*)"),
    ],
)
def test_every_file_names_the_version_of_the_project(file: str, pattern: str) -> None:
    assert set(re.findall(pattern, (ROOT / file).read_text())) == {VERSION}


def test_what_is_published_is_what_the_compose_file_starts() -> None:
    parts = re.search(r'group "default" \{\n  targets = \[(.*)\]', BAKE)
    assert parts is not None
    published = {f"envoy-{part}" for part in re.findall(r'"(\w+)"', parts[1])}
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert published == {
        service["image"].rpartition("/")[2].partition(":")[0] for service in services.values() if "build" in service
    }


def test_both_architectures_are_published_and_nothing_is_built_from_source() -> None:
    platforms = re.search(r"platforms\s+= \[(.*)\]", BAKE)
    assert platforms is not None
    assert set(re.findall(r'"(\S+)"', platforms[1])) == {"linux/amd64", "linux/arm64"}
    for image in ("scraper", "receiver", "simulator"):
        assert "--only-binary :all:" in (ROOT / image / "Dockerfile").read_text()


def test_only_tags_publish_and_with_no_more_rights_than_needed() -> None:
    assert set(WORKFLOW[True]) == {"push"}  # `on` is the YAML word for true
    assert set(WORKFLOW[True]["push"]) == {"tags"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    (job,) = WORKFLOW["jobs"].values()
    assert job["permissions"] == {"contents": "read", "packages": "write"}
    assert any("docker buildx bake --push --provenance=mode=max" in step.get("run", "") for step in job["steps"])

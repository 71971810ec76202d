"""The workflow that checks every change: when it runs, what it runs, and with which rights."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / ".github" / "workflows").glob("*.yml")}
(JOB,) = WORKFLOWS["checks"]["jobs"].values()


def test_it_runs_on_every_change_and_may_only_read() -> None:
    triggers = WORKFLOWS["checks"][True]  # `on` is the YAML word for true
    assert triggers == {"pull_request": None, "push": {"branches": ["main"]}}
    assert WORKFLOWS["checks"]["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB
    assert "secrets." not in str(JOB)


def test_it_checks_and_tests_as_people_do() -> None:
    commands = [step["run"] for step in JOB["steps"] if "run" in step]
    assert commands == ["make check", "make commits", "make servers", "make ${{ matrix.target }}"]
    assert JOB["strategy"]["matrix"] == {"target": ["test", "coverage"]}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"check", "commits", "servers", "test", "coverage"} <= targets


def test_coverage_has_a_floor() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]
    assert settings["report"]["fail_under"] >= 80
    packages = set(settings["run"]["source_pkgs"])
    assert packages == {file.parent.name for file in ROOT.glob("*/py.typed")} | {"grafana"}


def test_only_private_captures_may_be_missing() -> None:
    """The step that builds the servers fails without them, so the tests cannot be skipped for want of one."""
    (skipping,) = [step for step in JOB["steps"] if "CI" in step.get("env", {})]
    assert skipping["run"] == "make ${{ matrix.target }}"
    assert "CI" not in JOB["env"]


def test_it_uses_the_oldest_supported_python() -> None:
    oldest = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text())
    assert oldest is not None
    (python,) = [step for step in JOB["steps"] if step.get("uses", "").startswith("actions/setup-python@")]
    assert python["with"]["python-version"] == oldest[1]


def test_every_action_is_pinned() -> None:
    used = [
        step["uses"]
        for flow in WORKFLOWS.values()
        for job in flow["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert len(used) >= 8
    assert all(re.fullmatch(r"(actions|docker)/[\w-]+@v\d+", action) for action in used)

"""The Dockerfile: locked dependencies, an unprivileged user, and in each image its own packages alone."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.deploy.dockerfile import ENVIRONMENTS, IMAGES, PROGRAMS, STAGES, TEXT

ROOT = Path(__file__).parents[2]
KEEP_PACKAGES = ROOT / "deploy" / "keep-packages.sh"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OURS = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def find_package_lists(name: str) -> tuple[str, str]:
    """The packages that an image keeps and those that it removes, as the Dockerfile writes them."""
    lists = re.search(r'deploy/keep-packages\.sh /opt/envoy-relay "(.*)" "(.*)"', ENVIRONMENTS[name])
    assert lists is not None
    return lists[1], lists[2]


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_image_holds_what_is_locked(name: str) -> None:
    text = ENVIRONMENTS[name]
    lock = "${LOCK}" if name == "receiver" else name
    assert f"--require-hashes -r requirements/{lock}.txt" in text
    assert (f"ARG LOCK={name}\n" in text) == (name == "receiver")
    assert "--only-binary :all:" in text
    assert f"COPY --from={name}-environment /opt/envoy-relay /opt/envoy-relay\n" in IMAGES[name]


def test_nothing_is_installed_but_locked_dependencies_and_our_wheel() -> None:
    installs = re.findall(r"pip(?: --python \S+)? install ((?:\\\n|[^&\n])*)", TEXT)
    assert len(installs) == 2 + 2 * len(PROGRAMS)
    assert all("--require-hashes" in one or "--no-index --no-deps" in one for one in installs)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_image_runs_as_nobody_else(name: str) -> None:
    assert re.findall(r"^USER (.*)$", IMAGES[name], re.MULTILINE) == ["10001:10001"]
    assert "\nVOLUME /var/lib/envoy-relay\n" in IMAGES[name]


def test_every_image_has_the_same_base() -> None:
    assert "\nARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm\n" in TEXT
    assert {base for base, _ in STAGES.values()} - STAGES.keys() == {"${PYTHON_IMAGE}"}


def test_the_build_sees_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert not {"!.env", "!secrets/", "!.git", "!deploy/"} & set(lines)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_package_is_on_one_list_of_every_image(name: str) -> None:
    kept, removed = (set(packages.split()) for packages in find_package_lists(name))
    assert kept == {name, "shared"}
    assert removed == OURS - kept


def make_environment(folder: Path) -> Path:
    """Stands for an environment into which our wheel is installed."""
    site = folder / "lib" / "python3.13" / "site-packages"
    wheel = site / "envoy_relay-1.2.3.dist-info"
    wheel.mkdir(parents=True)
    commands = {name: f"envoy-{name}" for name in PROGRAMS}
    for package in OURS:
        (site / package).mkdir()
        (site / package / "__init__.py").touch()
    (folder / "bin").mkdir()
    for command in (*commands.values(), "python"):
        (folder / "bin" / command).touch()
    record = [f"{package}/{path}" for package in sorted(OURS) for path in ("__init__.py", "part/__init__.py")]
    (wheel / "RECORD").write_text("".join(f"{path},sha256=x,0\n" for path in ("../../../bin/envoy-scraper", *record)))
    scripts = "".join(f"{command} = {name}.__main__:main\n" for name, command in commands.items())
    (wheel / "entry_points.txt").write_text(f"[console_scripts]\n{scripts}")
    return folder


def keep_packages(folder: Path, kept: str, removed: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(KEEP_PACKAGES), str(folder), kept, removed]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_other_packages_and_their_commands_are_removed(name: str, tmp_path: Path) -> None:
    folder = make_environment(tmp_path)
    answer = keep_packages(folder, *find_package_lists(name))
    assert (answer.returncode, answer.stderr) == (0, "")
    site = folder / "lib" / "python3.13" / "site-packages"
    assert {path.name for path in site.iterdir()} == {name, "shared", "envoy_relay-1.2.3.dist-info"}
    assert {path.name for path in (folder / "bin").iterdir()} == {"python", f"envoy-{name}"}


@pytest.mark.parametrize(
    ("kept", "removed"),
    [
        ("scraper shared", "receiver simulator"),
        ("scraper shared", "receiver simulator standalone laptop"),
        ("scraper", "receiver scraper shared simulator standalone"),
    ],
    ids=["a package on no list", "a listed package that is not there", "a package on both lists"],
)
def test_lists_that_do_not_fit_the_wheel_fail_the_build(kept: str, removed: str, tmp_path: Path) -> None:
    folder = make_environment(tmp_path)
    before = sorted(folder.rglob("*"))
    answer = keep_packages(folder, kept, removed)
    assert answer.returncode == 1
    assert "the Dockerfile lists" in answer.stderr
    assert sorted(folder.rglob("*")) == before

"""The manifests as `kubectl apply -k` would send them: built by the real kustomize from copies of the overlays."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.tools import skip_missing

REPOSITORY = Path(__file__).parents[2]
KUSTOMIZE = Path(__file__).with_name("kustomize")

Manifest = dict[str, Any]


def build_overlay(name: str, folder: Path, *, components: tuple[str, ...] = ()) -> list[Manifest]:
    """All objects of an overlay with its example settings."""
    shutil.copytree(REPOSITORY / "kubernetes", folder / "kubernetes", dirs_exist_ok=True)
    shutil.copytree(REPOSITORY / "grafana", folder / "grafana", dirs_exist_ok=True)
    overlay_folder = folder / "kubernetes" / "overlays" / name
    for example in overlay_folder.glob("*.example"):
        shutil.copy(example, example.with_suffix(""))
    if components:
        kustomization = overlay_folder / "kustomization.yaml"
        listed = "".join(f"  - ../../components/{component}\n" for component in components)
        kustomization.write_text(f"{kustomization.read_text()}components:\n{listed}")
    return build(overlay_folder)


def build(folder: Path) -> list[Manifest]:
    """What kustomize makes of a folder."""
    if shutil.which("go") is None:
        skip_missing("no Go to build kustomize with")
    command = ["go", "-C", str(KUSTOMIZE), "tool", "kustomize", "build", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return list(yaml.safe_load_all(answer.stdout))


def find_one(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    """The only object of a kind whose name begins like that."""
    (found,) = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"].startswith(name)]
    return found

"""Captured traffic of real gateways: where it is, and what to do without it.

The captures are not part of this repository. `GATEWAY_CAPTURES` names their folder (default: `shared/gateway-captures`
beside the checkout); each folder in it is one gateway with a `manifest.json` that maps a path to file, status and content
type. Without them the tests that need them are skipped, except in CI, where that is a failure.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("GATEWAY_CAPTURES") or ROOT.parent / "shared" / "gateway-captures")
_ABSENT = f"no gateway captures in {FOLDER}; set GATEWAY_CAPTURES to their folder"


def list_folders() -> list[Path]:
    """Every capture, by name. Raises in CI if there is none."""
    found = sorted(manifest.parent for manifest in FOLDER.glob("*/manifest.json"))
    if not found and os.environ.get("CI") == "true":
        raise RuntimeError(_ABSENT)
    return found


def find_capture(name: str) -> Path:
    """The capture with this name; skips the test without captures."""
    if not list_folders():
        pytest.skip(_ABSENT)
    return FOLDER / name


def run_on_captures_where(wanted: Callable[[Path], object]) -> pytest.MarkDecorator:
    """Runs a test once per capture that `wanted` holds for, with its folder as the argument `folder`.

    Without captures it is one skipped test.
    """
    found = [pytest.param(folder, id=folder.name) for folder in list_folders() if wanted(folder)]
    absent = [pytest.param(FOLDER, marks=pytest.mark.skip(reason=_ABSENT), id="absent")]
    return pytest.mark.parametrize("folder", found if list_folders() else absent)


each_capture = run_on_captures_where(lambda _: True)
"""Runs a test once per capture, with its folder as the argument `folder`."""


def run_on_captures_with(*paths: str) -> pytest.MarkDecorator:
    """Runs a test once per capture that has a JSON reply other than an empty one for all these paths."""
    return run_on_captures_where(lambda folder: all(read_raw_json(folder, path) for path in paths))


def read_manifest(folder: Path, name: str = "manifest.json") -> dict[str, dict[str, Any]]:
    """Path (with query) to {"file", "status", "content_type", ...}."""
    document: dict[str, dict[str, Any]] = json.loads((folder / name).read_bytes())
    return document


def read_body(folder: Path, path: str) -> bytes | None:
    """The body of a path that the gateway answered with 200; None if it refused or was not asked."""
    entry = read_manifest(folder).get(path)
    return (folder / entry["file"]).read_bytes() if entry and entry["status"] == 200 else None


def read_raw_json(folder: Path, path: str) -> Any:
    """The reply as the standard library reads it, to check our parsers against; None if there is no such reply."""
    data = read_body(folder, path)
    try:
        return None if data is None else json.loads(data)
    except ValueError:
        return None

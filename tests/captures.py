"""Captured traffic of real gateways: where it is, and what to do without it.

The captures are not part of this repository. `GATEWAY_CAPTURES` names their folder (default: `shared/gateway-captures`
beside the checkout); each folder in it is one gateway with a `manifest.json` that maps a path to file, status and content
type. Without them the tests that need them are skipped, except in CI, where that is a failure.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("GATEWAY_CAPTURES") or ROOT.parent / "shared" / "gateway-captures")
_ABSENT = f"no gateway captures in {FOLDER}; set GATEWAY_CAPTURES to their folder"


def folders() -> list[Path]:
    """Every capture, by name. Raises in CI if there is none."""
    found = sorted(manifest.parent for manifest in FOLDER.glob("*/manifest.json"))
    if not found and os.environ.get("CI") == "true":
        raise RuntimeError(_ABSENT)
    return found


def capture(name: str) -> Path:
    """The capture with this name; skips the test without captures."""
    if not folders():
        pytest.skip(_ABSENT)
    return FOLDER / name


def parameters() -> list[Any]:
    """Every capture as a parameter; one skipped parameter without captures."""
    found = [pytest.param(folder, id=folder.name) for folder in folders()]
    return found or [pytest.param(FOLDER, marks=pytest.mark.skip(reason=_ABSENT), id="absent")]


each_capture = pytest.mark.parametrize("folder", parameters())
"""Runs a test once per capture, with its folder as the argument `folder`."""


def manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Path (with query) to {"file", "status", "content_type", ...}."""
    document: dict[str, dict[str, Any]] = json.loads((folder / "manifest.json").read_bytes())
    return document


def body(folder: Path, path: str) -> bytes | None:
    """The body of a path that the gateway answered with 200; None if it refused or was not asked."""
    entry = manifest(folder).get(path)
    return (folder / entry["file"]).read_bytes() if entry and entry["status"] == 200 else None


def raw_json(folder: Path, path: str) -> Any:
    """The reply as the standard library reads it, to check our parsers against; None if there is no such reply."""
    data = body(folder, path)
    try:
        return None if data is None else json.loads(data)
    except ValueError:
        return None

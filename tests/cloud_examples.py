"""Example replies of Enphase's cloud: where they are, and what to do without them.

The examples are not part of this repository. `CLOUD_EXAMPLES` names their folder (default: `shared/cloud-examples`
beside the checkout). Without them the tests that need them are skipped, except in CI, where that is a failure.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.captures import ROOT

FOLDER = Path(os.environ.get("CLOUD_EXAMPLES") or ROOT.parent / "shared" / "cloud-examples")
_ABSENT = f"no examples of the cloud's replies in {FOLDER}; set CLOUD_EXAMPLES to their folder"


def read_example(name: str) -> Any:
    """One example as the standard library reads it; skips the test where there are none. Raises in CI."""
    if not (FOLDER / "production_micro.json").exists():
        if os.environ.get("CI") == "true":
            raise RuntimeError(_ABSENT)
        pytest.skip(_ABSENT)
    return json.loads((FOLDER / f"{name}.json").read_bytes())

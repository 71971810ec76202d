"""Commands as a terminal shows them: sentences, without the lines of a log between them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.receiver.service import GATEWAY

SITES = f'"{GATEWAY}":\n  name: Home\n  time_zone: Europe/Berlin\n'


def test_check_prints_findings_and_nothing_else(tmp_path: Path):
    (tmp_path / "sites.yaml").write_text(SITES)
    settings = {
        "RECEIVER_STATE_DIR": str(tmp_path / "state"),
        "RECEIVER_SITES_FILE": str(tmp_path / "sites.yaml"),
        "RECEIVER_SECRET": "canary-secret-7c1e94b05ad8f36229be014d7a",
        "RECEIVER_GATEWAYS": GATEWAY,
        "RECEIVER_PORT": "0",
        "RECEIVER_STATUS_PORT": "0",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    ended = subprocess.run(
        [sys.executable, "-m", "receiver", "check"],
        cwd=tmp_path, env={**environment, **settings}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert all(line.startswith("ok    ") for line in ended.stdout.splitlines()), ended.stdout

"""A person who types what the documents say."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from simulator.server import Simulator
from standalone.directories import find_free_port

PROGRAMS = Path(sys.executable).parent
_STAND_INS = {
    # what runs in a container runs here, on the state that the same half has without containers
    "docker": """
        echo "$@" >> "$HOME/told"
        verb="$2"; shift 2
        case "$verb" in exec|run) ;; *) exit 0 ;; esac
        while [[ "$1" == -* ]]; do shift; done
        state="$HOME/.local/state/envoy-receiver"
        [[ "$1" != *scraper ]] || state="$HOME/.local/state/envoy-relay"
        shift
        exec "${@//\\/var\\/lib\\/envoy-relay/$state}"
        """,
    "ssh": """exec sh -c "$2" """,
}


class Newcomer:
    """A person at a shell in one folder, with a home directory of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ENVOY_", "RECEIVER_"))},
            "HOME": str(folder / "home"),
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        }
        (folder / ".venv").symlink_to(PROGRAMS.parent)

    def write_settings(self, simulator: Simulator, port: int) -> None:
        """The `.env` of somebody who has this gateway, and no token yet."""
        (self.folder / ".env").write_text(
            f"ENVOY_HOST=127.0.0.1\nENVOY_HTTPS_PORT={simulator.https_port}\nENVOY_HTTP_PORT={simulator.http_port}\n"
            f"RECEIVER_PORT={port}\nRECEIVER_STATUS_PORT={find_free_port()}\nENVOY_STATUS_PORT={find_free_port()}\n"
            "ENVOY_TOKEN=\n"
        )

    def type(self, command: str, given: str = "") -> str:
        """One command without a shell; what it printed. It must succeed."""
        ended = subprocess.run(
            shlex.split(command), input=given, capture_output=True, text=True, cwd=self.folder, env=self.environment,
            timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def bring_stand_ins(self) -> None:
        """Stand-ins for docker and ssh."""
        tools = self.folder / "tools"
        tools.mkdir()
        for name, text in _STAND_INS.items():
            (tools / name).write_text(f"#!/bin/bash\n{text}\n")
            (tools / name).chmod(0o755)
        self.environment["PATH"] = f"{tools}:{self.environment['PATH']}"

    def type_in_shell(self, command: str) -> str:
        """One line in a shell, with its redirections; what it printed. It must succeed."""
        ended = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=self.folder, env=self.environment,
            timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

"""A process is killed at each step of a renewal, and another one goes on: with real processes, files and sockets."""

import asyncio
import os
import signal
import stat
import sys
import time

import msgspec
import pytest

from scraper.cloud.grant import GRANT_FILE, OwnerGrant
from simulator.server import Simulator
from tests.scraper.cloud.renewing_process import PERSON, RENEWED, STEPS

LOST = {4, 5}
"""Steps after which nobody has the new pair."""


async def run_process(step, environment):
    """The exit status of a process that renews."""
    command = (sys.executable, "-m", "tests.scraper.cloud.renewing_process", str(step))
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    return await process.wait()


@pytest.mark.parametrize("mode", ["strict", "lenient"])
async def test_a_kill_costs_the_grant_only_where_nobody_has_the_new_pair(tmp_path, mode):
    """The file is whole and private whatever died; where old tokens live on, no kill needs a person."""
    async with Simulator("firmware-8") as sim:
        if mode == "lenient":
            sim.faults.switch_on("oauth-lenient")
        for step in STEPS:
            state, pair = tmp_path / str(step), sim.cloud.oauth.issue_pair()
            application = sim.cloud.oauth.application
            state.mkdir(mode=0o700)
            file = state / GRANT_FILE
            file.touch(0o600)
            file.write_bytes(
                msgspec.json.encode(
                    OwnerGrant(
                        access=pair["access_token"],
                        refresh=pair["refresh_token"],
                        expires_at=int(time.time()) - 1,
                        obtained_at=int(time.time()) - 90_000,
                        client_id=application.client_id,
                    )
                )
            )
            environment = {
                "PATH": os.environ["PATH"],
                "SSL_CERT_FILE": str(sim.cloud.ca_file),
                "ENVOY_SOURCE": "cloud",
                "ENVOY_STATE_DIR": str(state),
                "ENVOY_CLOUD_API_URL": sim.cloud.url,
                "ENVOY_CLOUD_API_KEY": application.api_key,
                "ENVOY_CLOUD_CLIENT_ID": application.client_id,
                "ENVOY_CLOUD_CLIENT_SECRET": application.client_secret,
            }
            assert await run_process(step, environment) == -signal.SIGKILL, STEPS[step]
            kept = msgspec.json.decode(file.read_bytes(), type=OwnerGrant)
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert kept.ended is None
            expected = PERSON if mode == "strict" and step in LOST else RENEWED
            assert await run_process(0, environment) == expected, STEPS[step]

"""Every `curl` line of the README does what it says, when a user has put in their own token and serial."""

import asyncio
import os
import shlex
from pathlib import Path

import msgspec

from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_inverter, make_meter, make_read_claims, sign

README = Path(__file__).parents[3] / "README.md"
ADDRESS = "http://127.0.0.1:8000"


async def test_every_curl_line_of_the_readme_is_answered(service: Service) -> None:
    lines = [line.strip() for line in README.read_text(encoding="utf-8").splitlines()]
    commands = [line for line in lines if line.startswith("curl ")]
    assert commands
    await service.send(make_meter(), make_inverter("482100000001"))
    token = sign(make_read_claims(), READ_SECRET, kid="read")
    for command in commands:
        assert ADDRESS in command
        own = command.replace(ADDRESS, f"http://127.0.0.1:{service.port}").replace("SERIAL", GATEWAY)
        process = await asyncio.create_subprocess_exec(
            *shlex.split(own.replace("TOKEN", token)),
            "--silent",
            "--fail",
            stdout=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, command
        assert msgspec.json.decode(output), command

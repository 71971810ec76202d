"""The example for pandas in docs/api.md: run where pandas is installed, and what it rests on is checked everywhere.

pandas is no dependency of the project: it would be the largest one, for eight lines of documentation.
"""

import asyncio
import csv
import importlib.util
import io
import os
import re
import sys
from datetime import datetime
from pathlib import Path

from tests.receiver.api.test_docs import PAGE, fill
from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_read_claims, sign

EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_example_reads_what_the_receiver_answers(service: Service, tmp_path: Path):
    await fill(service)
    token = sign(make_read_claims(), READ_SECRET, kid="read")
    (tmp_path / "reader").write_text(f"Authorization: Bearer {token}\n")
    (example,) = EXAMPLE.findall(PAGE.read_text())
    compile(example, str(PAGE), "exec")
    query = re.findall(r"\}(/energy\?[^\"]+)\"", example)[0]
    answer = await service.get(f"/api/v1/gateways/{GATEWAY}{query}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    columns = {name for name in re.findall(r'"(\w+)"', example) if "_" in name}
    assert columns - {"storage_options"} <= rows[0].keys()
    today = rows[-1]
    assert datetime.fromisoformat(today["local_start"]).tzinfo is not None
    assert 0 < float(today["production_coverage"]) < 1
    assert {row["in_progress"].lower() for row in rows} == {"true", "false"}, "pandas takes these for booleans"
    if importlib.util.find_spec("pandas"):
        await run_example(example, tmp_path, service.port)


async def run_example(example: str, folder: Path, port: int) -> None:
    environment = {**os.environ, "RECEIVER": f"http://127.0.0.1:{port}", "GATEWAY": GATEWAY}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", example, cwd=folder, env=environment)
    assert await process.wait() == 0

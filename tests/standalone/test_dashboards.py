"""`dashboards` for real: the demo over an influxd of its own, with what a Grafana needs to read it."""

import os
import re
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from standalone.errors import StandaloneError
from standalone.influxdb import find_influxd
from tests.influxd.binary import find_influxd_binary
from tests.standalone.commands import DEADLINE_S, Command, list_descendants, list_living, run_standalone, wait_until

_NO_TLS = False


class _Grafana:
    """What a Grafana would do with what the command prints."""

    def __init__(self, command: Command) -> None:
        found = re.search(
            r"^data: InfluxDB at (\S+), .*^token for Grafana: (\S+)$", command.text, re.DOTALL | re.MULTILINE
        )
        assert found, command.text
        self._url = found[1]
        self._header = {"authorization": f"Token {Path(found[2]).read_text().strip()}"}

    def read_rows(self, query: str, database: str = "envoy") -> list[dict[str, Any]]:
        """The first series of an answer, row by row; empty for none."""
        parameters = {"db": database, "q": query, "epoch": "ms"}
        answer = httpx.get(f"{self._url}/query", params=parameters, headers=self._header, timeout=10, verify=_NO_TLS)
        assert answer.status_code == httpx.codes.OK, answer.text
        (result,) = answer.json()["results"]
        return [
            dict(zip(one["columns"], row, strict=True)) for one in result.get("series", ()) for row in one["values"]
        ]


def _make_arguments(tmp_path: Path, days: str) -> list[str]:
    return ["dashboards", "--state", str(tmp_path / "work"), "--days", days, "--influxdb-port", "0"]


def _name_influxd() -> Mapping[str, str]:
    return {"INFLUXD": str(find_influxd_binary())}


@pytest.mark.slow
def test_a_grafana_finds_history_and_rollups_and_nobody_is_left(tmp_path):
    """Readings and their roll-ups, with the prices and names of the sites file; Ctrl-C ends influxd too."""
    with run_standalone(tmp_path, *_make_arguments(tmp_path, "0.25"), environment=_name_influxd()) as command:
        command.wait_for(r"production [\d.]+ k?W, load [\d.]+ k?W.*battery.*inverters 20 of 20.*history 100%")
        grafana = _Grafana(command)

        def answer(query: str, database: str = "envoy") -> list[dict[str, Any]]:
            return wait_until(
                lambda: grafana.read_rows(query, database),
                lambda: f"no rows for {query}: {command.errors}",
                lambda: command.process.poll() is None,
            )

        assert answer('SELECT last("power") FROM "meter"', "envoy_live")
        (today,) = answer('SELECT "production", "cost" FROM "energy_1d" WHERE "cost" > 0 ORDER BY time DESC LIMIT 1')
        assert today["production"] > 0
        panels = answer('SELECT last("power") AS "power" FROM "panel_15m" GROUP BY "panel", "array"')
        assert len(panels) == 20
        hours = 'SELECT * FROM (SELECT count("load") AS "hours" FROM "site_1h" WHERE "coverage" > 0) WHERE "hours" >= 6'
        assert answer(hours)
        below = list_descendants(command.process.pid)
        assert [args for args in below.values() if args.startswith(str(find_influxd_binary()))], below
        assert command.end(signal.SIGINT) == 0
        assert list_living(below) == {}
        assert command.errors == ""
    logs = "".join(path.read_text() for path in (tmp_path / "work" / "logs").iterdir())
    assert "did not stop" not in logs
    assert '"level": "error"' not in logs


@pytest.mark.slow
def test_a_killed_supervisor_leaves_no_influxd(tmp_path):
    """SIGKILL gives the supervisor no chance: the guard ends the database with the other parts."""
    with run_standalone(tmp_path, *_make_arguments(tmp_path, "0"), environment=_name_influxd()) as command:
        command.wait_for(r"inverters 20 of 20")
        below = list_descendants(command.process.pid)
        assert command.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not list_living(below), lambda: f"left: {list_living(below)}", lambda: True)


def test_without_influxd_it_says_what_to_do(tmp_path):
    """One sentence, before anything is started."""
    with run_standalone(
        tmp_path, *_make_arguments(tmp_path, "0"), environment={"INFLUXD": "/nowhere/influxd"}
    ) as command:
        assert command.process.wait(DEADLINE_S) == 1
        assert "no InfluxDB here (/nowhere/influxd is no program): set INFLUXD to" in command.errors
        assert "Traceback" not in command.errors
    assert not (tmp_path / "work").exists()


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        arguments = [*_make_arguments(tmp_path, "0")[:-1], port]
        with run_standalone(tmp_path, *arguments, environment=_name_influxd()) as command:
            assert command.process.wait(DEADLINE_S) == 1
            assert f"InfluxDB cannot have port {port}" in command.errors
            assert "--influxdb-port" in command.errors


def test_influxd_is_found_by_its_name_and_on_the_path(tmp_path):
    program = tmp_path / "influxd"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_influxd({"INFLUXD": str(program), "PATH": os.devnull}) == program
    assert find_influxd({"PATH": str(tmp_path)}) == program
    with pytest.raises(StandaloneError, match="set INFLUXD"):
        find_influxd({"INFLUXD": "", "PATH": str(tmp_path / "empty")})

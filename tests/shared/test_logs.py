"""What others say is printed inert: it forges no line, hides nothing and moves no cursor."""

import io
import subprocess
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scraper.check.findings import Finding, Findings
from shared import logs
from shared.logs import make_inert, make_lines_inert, redact
from standalone.view import format_literally

FORGED = "on\nok  receiver: fine\r\x1b[2K\u202e\u2066\u2028\x85\x00[bold]x[/bold]\u200b\ud800"


@given(st.text())
def test_inert_text_is_one_line_of_printable_characters(text: str):
    assert make_inert(text).isprintable()
    assert len(make_inert(text)) == len(text)


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")) | st.just(" ")))
def test_plain_text_stays_as_it_is(text: str):
    assert make_inert(text) == text


def test_lines_of_our_own_stay_lines():
    assert make_lines_inert("one\x1b\ntwo\r") == "one\N{REPLACEMENT CHARACTER}\ntwo "


def test_what_is_cut_is_inert_too():
    assert redact(FORGED).isprintable()


def test_a_finding_is_one_line():
    """A gateway's status flag could forge a line of `check`."""
    found: list[Finding] = []
    findings = Findings(found.append)
    for say in (findings.confirm, findings.note, findings.fail):
        say("meters" + FORGED, FORGED)
    assert all((finding.step + finding.text).isprintable() for finding in found)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_log_line_is_one_line(as_json: bool, monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    before = structlog.get_config()
    try:
        logs.configure(json=as_json)
        structlog.get_logger().warning("reply", role=FORGED)
    finally:
        structlog.configure(**before)
    assert stream.getvalue().rstrip("\n").isprintable()
    assert stream.getvalue().count("\n") == 1


LIBRARY = """
import logging
from shared import logs

logs.configure(json={json})
log = logging.getLogger("uvicorn.error")
log.error("Invalid request %s", {forged!r})
try:
    raise ValueError({forged!r})
except ValueError:
    log.exception({forged!r})
    log.warning("again", exc_info=True, stack_info=True)
"""


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_of_a_library_is_one_line_and_its_traceback_too(as_json: bool):
    """A process of its own, for logging is configured once in each."""
    script = LIBRARY.format(json=as_json, forged=FORGED.replace("\ud800", "") + " eyJhbGciOi.eyJzdWIi.canary")
    written = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stderr.decode()
    lines = written.split("\n")
    assert [line.split(" ")[:2] for line in lines[:-1]] == [
        ["ERROR", "uvicorn.error"], ["ERROR", "uvicorn.error"], ["WARNING", "uvicorn.error"]
    ]  # fmt: skip
    assert lines[-1] == ""
    assert all(line.isprintable() for line in lines)
    assert "ValueError: on ok  receiver: fine" in lines[1]
    assert "canary" not in written


def test_no_line_of_a_traceback_begins_like_a_line_of_the_log(monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    before = structlog.get_config()
    try:
        logs.configure(json=False)
        try:
            raise ValueError(FORGED)  # noqa: TRY301 (as short as it gets)
        except ValueError:
            structlog.get_logger().exception("failed")
    finally:
        structlog.configure(**before)
    first, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert "failed" in first
    assert all(line.isprintable() for line in (first, *rest))
    assert not any(line.startswith("ok") for line in rest)


def test_the_terminal_view_shows_names_as_they_stand():
    """Neither rich's markup nor the terminal's escapes do anything."""
    stream = io.StringIO()
    Console(file=stream, force_terminal=False, width=200).print(format_literally("[bold]x[/bold]\x1b[2J"))
    assert stream.getvalue() == "[bold]x[/bold]\N{REPLACEMENT CHARACTER}[2J\n"

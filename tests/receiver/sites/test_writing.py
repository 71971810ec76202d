"""The sites file written for its owner: everything else in it stays, whatever form it has, and nothing is half done."""

import contextlib
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.sites.comments import list_comments
from receiver.sites.edit import PanelWords, change_panels
from receiver.sites.load import SitesFileError, parse
from receiver.sites.writing import (
    SitesFileChangedError,
    SitesFileLockedError,
    SitesFileWriter,
    make_version,
)
from tests.receiver.cli.test_commands import call, environment
from tests.receiver.service import GATEWAY
from tests.receiver.sites.test_use import call_in_thread, fill

__all__ = ["environment"]
FORMS = {
    "nothing": "",
    "comments": "# mine\n",
    "a gateway alone": '"1":\n',
    "in one line": '"1": {name: Home}\n',
    "no panels yet": '"1":\n  name: Home   # ours\n  billing_day: 3\n"2": {name: Other}\n',
    "empty panels": '"1":\n  panels:\n    # soon\n  name: Home\n',
    "bare numbers": "1:\n  panels:\n    99:\n      name: Old   # was new\n      rated_watts: 410\n",
    "quotes": "'1':\n  panels: {'99': {name: \"Old: 1\"}}\n  name: 'Ho''me'\n",
    "a panel alone": '"1":\n  panels:\n    "99":\n    "98": {}\n',
    "windows": '"1":\r\n  name: Home\r\n  # end\r\n',
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_file_takes_a_panel_and_keeps_the_rest(form: str):
    before = FORMS[form].encode()
    after = change_panels(before, "1", {"99": {"name": "New", "row": 1, "column": 2}})
    panel = parse(after)["1"].panels["99"]
    assert (panel.name, panel.row, panel.column) == ("New", 1, 2)
    comments = [line.partition("#")[2].strip() for line in FORMS[form].splitlines() if "#" in line]
    assert [line.partition("#")[2].strip() for line in after.decode().splitlines() if "#" in line] == comments
    for serial, site in parse(before).items():
        kept = parse(after)[serial]
        assert kept.model_copy(update={"panels": {}}) == site.model_copy(update={"panels": {}})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"1":\n  name: x\n...\n# after\n', "line 3: '...'"),
        ('"1":\n  panels:  # todo\n  # later\n"2": {name: y}\n', "line 3: '# later'"),
        ('"1":\n  name: x\t# c\n', "line 2 (is there a tab?)"),
    ],
)
def test_a_comment_that_would_be_lost_or_stand_elsewhere_is_named_and_nothing_is_written(text: str, line: str):
    with pytest.raises(SitesFileError, match=re.escape(line)):
        change_panels(text.encode(), "1", {"99": {"name": "New"}})


def test_what_is_new_in_an_entry_does_not_come_behind_the_comment_of_the_next():
    text = '"1":\r\n  panels:\r\n    "8":\r\n      name: A\r\n    # by the chimney\r\n    "9":\r\n      name: B\r\n'
    after = change_panels(text.encode(), "1", {"8": {"row": 1, "column": 2}}).decode()
    assert '\r\n    # by the chimney\r\n    "9":\r\n' in after
    assert after.count("\n") == after.count("\r\n")
    assert parse(after.encode())["1"].panels["8"].row == 1


TEXTS = st.sampled_from(("# a", "# b: {", "#c", "    # deep", ""))


@given(comments=st.lists(TEXTS, min_size=8, max_size=8), inverter=st.sampled_from(("98", "99", "97")))
def test_no_comment_is_ever_lost_or_moved(comments: list[str], inverter: str):
    lines = [
        '"1":',
        "  name: Home",
        "  panels:",
        '    "98":',
        "      name: A",
        '    "99": {name: B}',
        '"2": {name: C}',
        "",
    ]
    text = "\n".join(f"{comment}\n{line}" if comment else line for comment, line in zip(comments, lines, strict=True))
    with contextlib.suppress(SitesFileError):
        after = change_panels(text.encode(), "1", {inverter: {"row": 1, "column": 1}}).decode()
        assert [(one.text, one.beside) for one in list_comments(after)] == [
            (one.text, one.beside) for one in list_comments(text)
        ]


WORDS = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and text.isprintable()).map(str.strip)


@example(name=":0", array="? a", form="a panel alone")
@given(name=WORDS, array=WORDS | st.none(), form=st.sampled_from(sorted(FORMS)))
def test_whatever_a_panel_is_called_is_what_the_file_says_then(name: str, array: str | None, form: str):
    """'no', '~', '0x1', '# a', '{': words that mean something in YAML are words."""
    after = change_panels(FORMS[form].encode(), "1", {"99": {"name": name, "array": array}})
    panel = parse(after)["1"].panels["99"]
    assert (panel.name, panel.array) == (name, array)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"row": 1}, "needs both row and column"),
        ({"row": 1, "column": 1, "array": "A"}, "have the same place"),
    ],
)
def test_what_the_file_would_not_accept_is_not_written(words: PanelWords, said: str):
    before = b'"1":\n  panels: {"98": {array: A, row: 1, column: 1}}\n'
    with pytest.raises(SitesFileError, match=said):
        change_panels(before, "1", {"99": words})


def test_a_serial_that_yaml_takes_for_another_number_is_left_to_its_owner():
    with pytest.raises(SitesFileError, match="by hand"):
        change_panels(b"1:\n  panels:\n    0123: {name: Old}\n", "1", {"0123": {"name": "New"}})


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path):
    target, link = tmp_path / "real" / "sites.yaml", tmp_path / "sites.yaml"
    target.parent.mkdir()
    target.write_text("# mine\n")
    target.chmod(0o644)
    link.symlink_to(target)
    writer = SitesFileWriter(link)
    version = writer.read_version()
    new = writer.change("1", {"99": {"name": "New"}}, version)
    assert link.is_symlink()
    assert new == writer.read_version() == make_version(target.read_bytes())
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert {path.name for path in target.parent.iterdir()} <= {"sites.yaml", ".sites.yaml.lock"}
    with pytest.raises(SitesFileChangedError):
        writer.change("1", {"99": {"name": "Newer"}}, version)


AS_NOBODY = """
import os, sys
from pathlib import Path
from receiver.sites.writing import SitesFileLockedError, SitesFileWriter
if os.geteuid() == 0:
    os.setuid(65534)
writer = SitesFileWriter(Path(sys.argv[1]))
print(writer.find_obstacle())
try:
    writer.change("1", {"99": {"name": "New"}}, None)
except SitesFileLockedError as error:
    print(error)
"""


@pytest.fixture
def mounted() -> Iterator[Path]:
    """A directory that other users may enter, as those of pytest may not be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize(("of_folder", "of_file"), [(0o777, 0o444), (0o555, 0o666), (0o444, 0o666)])
def test_what_the_receivers_user_may_not_write_is_said_before_and_left_alone(
    mounted: Path, of_folder: int, of_file: int
):
    """In a process of its own, of another user where this one is root, who may write everything."""
    path = mounted / "sites.yaml"
    path.write_text("# mine\n")
    path.chmod(of_file)
    mounted.chmod(of_folder)
    command = [sys.executable, "-c", AS_NOBODY, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert all("RECEIVER_SITES_FILE names cannot be written here" in line for line in said), done.stdout
    assert str(mounted) not in done.stdout
    mounted.chmod(0o755)
    assert path.read_text() == "# mine\n"


def test_without_a_file_it_says_what_to_set():
    writer = SitesFileWriter(None)
    assert "set RECEIVER_SITES_FILE" in str(writer.find_obstacle())
    with pytest.raises(SitesFileLockedError, match="set RECEIVER_SITES_FILE"):
        writer.change("1", {}, None)


async def test_a_layout_is_imported_for_the_panels_of_the_gateway(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await fill(environment / "readings.sqlite")
    sites, layout = tmp_path / "sites.yaml", tmp_path / "layout.csv"
    sites.write_text(f'"{GATEWAY}":   # ours\n  name: Home\n')
    layout.write_text("482300001112,East 1,Garage,1,1\n99,Other,Garage,1,2\n")
    monkeypatch.setenv("RECEIVER_SITES_FILE", str(sites))
    done = call_in_thread("sites", "import-layout", str(layout), "--gateway", GATEWAY)
    assert done.exit_code == 0, done.stderr
    assert f"1 panels of gateway {GATEWAY} are written into {sites}" in done.stdout
    assert "1 of the layout have not reported at this gateway and were left out" in done.stdout
    assert "1 panels of the gateway are not in the layout and stay as they were" in done.stdout
    panel = "{name: East 1, array: Garage, row: 1, column: 1}"
    expected = f'"{GATEWAY}":   # ours\n  name: Home\n  panels:\n    "482300001112": {panel}\n'
    assert sites.read_text() == expected
    layout.write_text('{"arrays": [{}]}')
    refused = call_in_thread("sites", "import-layout", str(layout), "--gateway", GATEWAY)
    assert refused.exit_code == 1
    assert "arrays[0]: object missing required field `label`" in refused.stderr
    layout.write_text("99,Other")
    none = call_in_thread("sites", "import-layout", str(layout), "--gateway", GATEWAY)
    assert "none of the 1 inverters" in none.stderr
    assert sites.read_text() == expected


def test_import_of_an_unknown_gateway_names_those_there_are(environment: Path, tmp_path: Path):
    (tmp_path / "layout.csv").write_text("1,East 1")
    refused = call("sites", "import-layout", str(tmp_path / "layout.csv"), "--gateway", "7")
    assert refused.exit_code == 1
    assert "nothing is stored of gateway 7; there are readings of none yet" in refused.stderr

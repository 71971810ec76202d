"""The rules of the repository find what they are made for, and nothing else."""

import subprocess
from pathlib import Path

import pytest

from tests.repository.rules import LINES_BELOW, find_problems


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("state/\n")
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_repository_that_keeps_the_rules_has_no_problems(repository: Path):
    write(repository / "scraper" / "short.py", "class Poller:\n    pass\n" + "\n" * (LINES_BELOW - 3))
    write(repository / "state" / "ignored.py", "\n" * LINES_BELOW)
    for generated in ("requirements/dev.txt", "grafana/provisioning/alerting/rules.yaml", "tests/caddy/go.sum"):
        write(repository / generated, "\n" * LINES_BELOW)
    assert find_problems(repository) == []


@pytest.mark.parametrize(
    "name", ["a.py", "a.ts", "a.css", "a.sh", "a.yml", "a.md", "Dockerfile", ".importlinter", "a.go", "a.ini", "a"]
)
def test_a_long_file_is_named_with_its_length(repository: Path, name: str):
    write(repository / "part" / name, "\n" * LINES_BELOW)
    assert find_problems(repository) == [f"part/{name} has 300 lines; split it: a file has fewer than 300"]


def test_a_class_name_that_stands_twice_is_named_with_both_lines(repository: Path):
    write(repository / "a.py", "class Poller:\n    pass\n")
    write(repository / "tests" / "b.py", "def make():\n    class _Poller:\n        pass\n")
    assert find_problems(repository) == ["the class name Poller stands more than once: a.py:1, tests/b.py:2"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("see /{}/somebody/notes", "a path of one machine"),
        ("see https://py{}i.org/simple", "a registry's host"),
        ("--{}-url https://mirror.example", "the address of a package index"),
    ],
)
def test_what_belongs_to_one_machine_is_named_with_its_line(repository: Path, text: str, kind: str):
    filled_in = text.format({"a path of one machine": "home", "a registry's host": "p"}.get(kind, "index"))
    write(repository / "a.txt", f"one\n{filled_in}\n")
    (problem,) = find_problems(repository)
    assert problem.startswith(f"a.txt:2 names {kind}")


def test_a_function_that_is_no_verb_is_named(repository: Path):
    write(
        repository / "scraper" / "a.py",
        "class Poller:\n    @property\n    def interval_s(self): ...\n    def _points(self): ...\n\ndef read_points(): ...\n",
    )
    write(repository / "tests" / "b.py", "def points(): ...\n")
    (problem,) = find_problems(repository)
    assert problem.startswith("scraper/a.py:4 the function _points does not begin with a verb")


def test_a_function_of_the_page_that_is_no_verb_is_named(repository: Path):
    text = """
export function amount(value: number): string {
const natural = (one: string): number => 1;
export class View {
  constructor() {
  get unauthorised(): boolean {
  private async tile(panel: Entry, placed: boolean): Promise<void> {
  private readonly found = (): void => this.draw();
  show(
    if (placed) {
    this.draw();
    wait("a while", () => {
interface Listener {
  refused(): void;
}
export function h<K extends string>(
function readAll() {
"""
    write(repository / "receiver" / "web" / "src" / "a.ts", text)
    named = [problem.split(" does not")[0] for problem in find_problems(repository)]
    assert sorted(named) == [
        "receiver/web/src/a.ts:14 the function refused",
        "receiver/web/src/a.ts:2 the function amount",
        "receiver/web/src/a.ts:3 the function natural",
        "receiver/web/src/a.ts:7 the function tile",
        "receiver/web/src/a.ts:8 the function found",
    ]


def test_only_where_a_library_demands_it_a_function_is_named_with_a_noun(repository: Path):
    text = "class Panel:\n    def title(self): ...\n"
    write(repository / "grafana" / "source" / "panel_builders.py", text)
    write(repository / "receiver" / "a.py", text.replace("Panel", "Page"))
    (problem,) = find_problems(repository)
    assert problem.startswith("receiver/a.py:2 the function title")


def test_a_verb_that_no_function_begins_with_is_named(repository: Path):
    write(repository / "scraper" / "a.py", "def read_points(): ...\n")
    write(repository / "receiver" / "web" / "src" / "a.ts", "function drawAll() {\n")
    write(repository / "tests" / "repository" / "verbs.txt", "draw\nread\ntoken\n")
    assert find_problems(repository) == [
        "tests/repository/verbs.txt lists token, and no function begins with it: take it out"
    ]


def test_a_member_that_a_docstring_names_exists(repository: Path):
    write(
        repository / "scraper" / "a.py",
        '''
class Poller:
    """As `Poller.read_all`, `Poller.interval_s`, `Source.open`; not as `Poller.read` or `Timer.start`."""

    def read_all(self):
        self.interval_s = 5

class Source(Poller):
    """See `Source.read_all` and `SSLContext.wrap_socket`."""

    open: bool
''',
    )
    assert find_problems(repository) == [
        "scraper/a.py:3 names `Poller.read`, which does not exist",
        "scraper/a.py:3 names `Timer.start`, which does not exist",
    ]

"""The check of commits finds every departure from the form, and nothing else."""

import subprocess
from pathlib import Path

import pytest

from tests.repository.commits import find_problems_of_commits, find_problems_of_message

GOOD = "outbox: keep what a full disk refused\n\nReadings were dropped when a write failed half way."


@pytest.mark.parametrize(
    "message", [GOOD, "compose, service: fit together\n\nBoth changed.", "durable_sqlite: x\n\nWhy.\n\nRefs: #9"]
)
def test_a_message_of_the_form_has_no_problems(message: str):
    assert list(find_problems_of_message(message)) == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (f"outbox: {'x' * 65}\n\nWhy.", "its subject has 73 characters"),
        ("Keep what a full disk refused\n\nWhy.", "its subject does not look like"),
        ("outbox:keep\n\nWhy.", "its subject does not look like"),
        ("outbox: keep", "it does not say why"),
        ("outbox: keep\n\nSigned-off-by: A <a@example.org>", "it does not say why"),
        ("outbox: keep\nWhy.", "an empty line is missing"),
    ],
)
def test_a_message_of_another_form_is_named(message: str, problem: str):
    (found,) = find_problems_of_message(message)
    assert found.startswith(problem)


def test_only_the_commits_of_the_span_are_looked_at(tmp_path: Path):
    def run_git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    run_git("init", "--quiet")
    for message in ("Old form", GOOD, "Another form\n\nWhy."):
        run_git("commit", "--quiet", "--allow-empty", "--message", message)
    (found,) = find_problems_of_commits(tmp_path, "HEAD~2..HEAD")
    assert "(Another form): its subject does not look like" in found

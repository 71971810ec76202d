"""Words that are out are found as words and as parts of names, and nothing else is."""

from pathlib import PurePosixPath

import pytest

from tests.repository.words import find_words_that_are_out


@pytest.mark.parametrize(
    ("path", "text", "instead"),
    [
        ("docs/a.md", "It is begun Anew.", "docs/a.md:1 says Anew: write again"),
        ("tests/a.py", "\ndef test_it_waits_for_ever(): ...", "tests/a.py:2 says for_ever: write without limit"),
        ("receiver/web/src/a.ts", "// autarky", "receiver/web/src/a.ts:1 says autarky: write self_sufficiency"),
        ("receiver/a.py", "NO_FAULTS = 0", "receiver/a.py:1 says FAULTS: write problem, failure, damage or refusal"),
    ],
)
def test_a_word_that_is_out_is_named_with_its_line(path: str, text: str, instead: str):
    assert list(find_words_that_are_out({PurePosixPath(path): text})) == [instead]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("simulator/a.py", "the faults that can be switched on"),
        ("tests/scraper/a.py", "sim.faults.switch_on('refuse')"),
        ("receiver/a.py", "default, asphalt, for every, a new one"),
        ("tests/a.py", "server.serve_forever()"),
        ("requirements/dev.txt", "anew"),
    ],
)
def test_what_is_written_right_is_not_named(path: str, text: str):
    assert list(find_words_that_are_out({PurePosixPath(path): text})) == []

"""What the tests of the outbox share."""

import pytest

from tests.scraper.outbox.damaged_outbox import COUNT, KilledOutbox
from tests.scraper.outbox.support import kill, list_rows, make_readings, open_outbox


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    directory = tmp_path_factory.mktemp("original") / "state"
    path = directory / "outbox.sqlite"
    box = open_outbox(path)
    for first in range(0, COUNT // 2, 10):
        box.append(make_readings(first, 10))
    box.close()
    box = open_outbox(path)
    box.append([], memory=b"77")
    for first in range(COUNT // 2, COUNT + 100, 10):
        box.append(make_readings(first, 10))
    seqs = [row.seq for row in list_rows(box)]
    box.settle(seqs[50:150], {})  # settled rows must not come back
    left = seqs[:50] + seqs[150:]
    box_id = box.id
    kill(box, path)
    return KilledOutbox(directory, left, box_id)


@pytest.fixture
def killed(original, tmp_path):
    return original.copy(tmp_path / "state")

"""Tables as files: of any length, as CSV and as Parquet, with local times and a sentence on coverage."""

import csv
import gzip
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pyarrow.parquet
import pytest

from receiver.api import parquet
from receiver.queries import budget, energy
from receiver.stores.base import StoreUnavailableError
from tests.receiver.api.constant_household import (
    BERLIN,
    HOUR,
    fill,
    make_counters,
    make_reports,
    to_ms,
    write_sites_file,
)
from tests.receiver.service import GATEWAY, READ_SECRET, make_read_claims, sign
from tests.receiver.stores.store_factories import STORES

PATH = f"/api/v1/gateways/{GATEWAY}"
MIDNIGHT, NOW = to_ms("2025-10-26"), to_ms("2025-10-27T12:00")
"""A night of 25 hours lies between."""
QUARTERS = f"{PATH}/energy?every=15m&start=2025-10-26"
PANELS = f"{PATH}/inverters/energy?every=1h&start=2025-10-26"


@pytest.fixture(params=STORES)
async def home(request, start_over, tmp_path):
    """A day and a half of two meters and two panels, of which one falls silent."""
    async with start_over(request.param, sites_file=write_sites_file(tmp_path)) as running:
        reports = [*make_reports("482100000001", MIDNIGHT, NOW, 200.0 / 3)]
        reports += make_reports("482100000002", MIDNIGHT, MIDNIGHT + 12 * HOUR, 100.0)
        await fill(running, [*make_counters(MIDNIGHT, NOW), *reports], now=NOW)
        yield running


@pytest.fixture
def small_pieces(monkeypatch):
    """What is read in months otherwise is read in a few windows."""
    monkeypatch.setattr(energy, "_WINDOWS_A_PIECE", 7)
    monkeypatch.setattr(budget, "PIECE", 40)


def make_headers(home, **headers):
    token = sign(make_read_claims(home.clock.ms), READ_SECRET, kid="read")
    return {"authorization": f"Bearer {token}", **headers}


def read_rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("question", [QUARTERS, PANELS])
async def test_pieces_make_the_same_file(home, monkeypatch, question):
    """Longer than any answer may be, it comes as it would come at once, with every line once and in order."""
    at_once = read_rows((await home.get(f"{question}&format=csv")).text)
    with monkeypatch.context() as patched:
        patched.setattr(energy, "_WINDOWS_A_PIECE", 7)
        in_pieces = read_rows((await home.get(f"{question}&format=csv")).text)
    assert in_pieces == at_once
    starts = [int(row["start"]) for row in at_once]
    assert starts == sorted(starts)
    assert len({(row["start"], row.get("inverter")) for row in at_once}) == len(at_once)


async def test_a_file_may_be_longer_than_an_answer(home):
    """JSON of the same is refused; the file has every hour of more than five years."""
    question = f"{PATH}/energy?every=1h&start=2020-01-01"
    assert (await home.get(question)).status_code == 422
    answer = await home.get(f"{question}&format=csv")
    lines = answer.text.splitlines()
    assert len(lines) == 1 + (NOW - to_ms("2020-01-01")) // HOUR
    assert sum(float(row["production_wh"] or 0) for row in read_rows(answer.text)) == pytest.approx(37_000, abs=5)


async def test_local_times_can_be_read_and_digits_are_sensible(home):
    rows = read_rows((await home.get(f"{PANELS}&format=csv")).text)
    mine = [row for row in rows if row["name"] == "East 1"]
    assert [row["local_start"] for row in mine[1:4]] == [
        "2025-10-26T01:00:00+02:00", "2025-10-26T02:00:00+02:00", "2025-10-26T02:00:00+01:00",
    ]  # fmt: skip
    assert mine[1]["energy_wh"] == "66.7"
    assert {len(row["coverage"].partition(".")[2]) <= 4 for row in rows} == {True}


async def test_parquet_says_what_csv_says(home):
    """With times that know their zone, numbers as numbers, and empty cells as null."""
    for question in (QUARTERS, PANELS):
        rows = read_rows((await home.get(f"{question}&format=csv")).text)
        answer = await home.get(f"{question}&format=parquet")
        assert answer.headers["content-type"] == "application/vnd.apache.parquet"
        table = read_parquet(answer)
        assert str(table.schema.field("local_start").type) == f"timestamp[ms, tz={BERLIN}]"
        for row, found in zip(rows, table.to_pylist(), strict=True):
            assert list(row) == list(found)
            for name, text in row.items():
                assert text == as_text(found[name]), name


def as_text(value):
    if isinstance(value, datetime):
        return datetime.fromtimestamp(value.timestamp(), UTC).astimezone(ZoneInfo(BERLIN)).isoformat()
    if isinstance(value, float) and value == int(value):
        return str(value) if value else "0.0"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def read_parquet(answer):
    return pyarrow.parquet.read_table(io.BytesIO(answer.content))


async def test_a_sentence_says_how_much_is_known(home):
    """Beside the file, not in it, so that every program reads the table; in Parquet in the file's own description."""
    of_site = (await home.get(f"{QUARTERS}&format=csv")).headers["x-coverage"]
    assert "from 2025-10-26 to 2025-10-27" in of_site
    assert "production 100 %" in of_site
    assert "discharged" not in of_site, "there is no battery"
    of_panels = await home.get(f"{PANELS}&format=parquet")
    assert "of 3 panels" in of_panels.headers["x-coverage"], "one is named and never reported"
    assert read_parquet(of_panels).schema.metadata[b"coverage"].decode() == of_panels.headers["x-coverage"]
    before = await home.get(f"{PATH}/energy?every=1d&start=2025-01-01&stop=2025-01-02&format=csv")
    assert before.headers["x-coverage"].startswith("Nothing is known on 2025-01-01.")


async def test_a_long_file_is_packed(home, small_pieces):
    packed = await home.client.get(f"{QUARTERS}&format=csv", headers=make_headers(home, **{"accept-encoding": "gzip"}))
    plain = await home.client.get(
        f"{QUARTERS}&format=csv", headers=make_headers(home, **{"accept-encoding": "identity"})
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert gzip.decompress(gzip.compress(plain.content)) == plain.content


async def test_a_file_that_cannot_be_finished_does_not_look_whole(home, small_pieces, monkeypatch):
    """The connection breaks off: the end of the file never comes."""
    store = home.receiver.store
    read_points = store.read_points
    reads = []

    async def fail_later(gateway, kind, **question):
        if kind == "energy_15m":
            reads.append(kind)
            if len(reads) > 3:
                raise StoreUnavailableError("the store is away")
        return await read_points(gateway, kind, **question)

    monkeypatch.setattr(store, "read_points", fail_later, raising=False)
    with pytest.raises(httpx.RemoteProtocolError):
        await home.get(f"{QUARTERS}&format=csv")


async def test_parquet_without_its_library_names_the_extra(home, monkeypatch):
    monkeypatch.setattr(parquet, "has_parquet", lambda: False)
    answer = await home.get(f"{QUARTERS}&format=parquet")
    assert answer.status_code == 422
    assert "envoy-relay[receiver,parquet]" in answer.json()["detail"]


async def test_what_is_too_long_for_a_file_is_refused_before_it_begins(home):
    refused = await home.get(f"{PATH}/energy?every=15m&start=1971-01-01&format=csv")
    assert refused.status_code == 422
    assert "an answer has at most 1,000,000 points" in refused.json()["detail"]
